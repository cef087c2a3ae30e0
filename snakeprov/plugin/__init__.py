"""How snakeprov sees a running workflow: the only room that names Snakemake's classes and attributes.

The way of a job, from Snakemake to the recorder:

| module | does |
|---|---|
| `track`, `logger` | switch recording on: the line in the Snakefile, and `--logger snakeprov` |
| `request` | keeps the settings that were given there |
| `hooks` | wraps methods of Snakemake, so that they tell what happens |
| `running` | executes the workflow: opens the capture, and ends it |
| `capturing` | follows the live jobs; `messages` adds what Snakemake logs of them |
| `recording` | hands the records of jobs and of the run (`runrecord`) to the recorder |
| `jobrecord` | makes the record of a job; asks `jobfiles`, `rulecode`, `deployment`, `outcome` |
| `jobfiles` | sees the files of a job (`observation`), and has them held (`holding`) until they are digested |
| `represent`, `tables` | make JSON of the values of params and config |
| `problems` | collects what could not be captured, and tells the user |

Must not know: what becomes of a record once it is handed to the recorder.
"""
