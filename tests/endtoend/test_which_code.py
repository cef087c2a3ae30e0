"""Which code a job executed: what defines its rule, the scripts its command runs, what these lead to; nothing else."""

from __future__ import annotations

from collections.abc import Callable

from tests.endtoend.conftest import Variables, Work

SNAKEFILE = """
import sys
import snakeprov
snakeprov.track(workflow)
sys.path.insert(0, workflow.basedir + "/lib")
from naming import upper
from unrelated import nothing

include: "rules/common.smk"
include: "rules/help.smk"

rule all:
    input: "shell.txt", "script.txt", "run.txt", "help.txt"

rule shell:
    input: first, script="tools/given.sh"
    output: "shell.txt"
    shell:
        \"\"\"
        export PYTHONPATH=$PWD/pylib
        (time -p python3 -u scripts/one.py {input[0]} | nice -n 1 bash {input.script}) > {output} 2>/dev/null
        X=$(env LC_ALL=C ./tools/three.sh); echo "$X" >> {output}
        {TOOL} data/in.txt >> {output}
        echo 'echo made' > made.sh; bash made.sh >> {output}
        \"\"\"

rule script:
    output: "script.txt"
    script: "scripts/four.py"

rule run:
    output: "run.txt"
    run:
        open(output[0], "w").write(upper("x"))
        shell(f"python3 scripts/{{output}}.py || sh tools/three.sh " ">> {output}", bench_record=None)
"""
COMMON = """
TOOL = "sh tools/five.sh"
UNUSED = 1

def first(wildcards):
    return "data/in.txt"
"""
HELP = """
rule help:
    output: "help.txt"
    shell: "echo help > {output}"
"""
FILES = {
    "rules/common.smk": COMMON,
    "rules/help.smk": HELP,
    "data/in.txt": "in\n",
    "lib/naming.py": "def upper(text): return text.upper()\n",
    "lib/unrelated.py": "nothing = 0\n",
    "scripts/one.py": "import one_lib, packaged, sys\nprint(open(sys.argv[1]).read())\n",
    "scripts/one_lib.py": "",
    "pylib/packaged.py": "",
    "pylib/unused.py": "",
    "scripts/four.py": "import sys\nfrom pathlib import Path\n"
    "sys.path.append(str(Path(__file__).resolve().parent.parent / 'shared'))\n"
    "import util, subprocess\n"
    "subprocess.run(['sh', 'tools/six.sh', util.X], check=True)\nopen(snakemake.output[0], 'w').write(util.X)\n",
    "shared/util.py": "X = 'x'\n",
    "tools/given.sh": '. "$(dirname "$0")/settings.sh"\ncat\n',
    "tools/settings.sh": "",
    "tools/six.sh": "true\n",
    "tools/three.sh": "#!/bin/sh\necho 3\n",
    "tools/five.sh": "cat $1\n",
}


def code(work: Work, path: str) -> set[str]:
    """Return the paths of the code of what made a file."""
    return {one["path"] for one in work.ask("show", path)["job"]["code"]}


def affected(work: Work, path: str) -> set[str]:
    """Return the paths of the versions that a file is behind."""
    return {one["path"] for one in work.ask("affected", path)["versions"]}


def test_only_what_ran_counts_as_executed(make_work: Callable[..., Work], store: Variables) -> None:
    """What `show` lists, what `affected` says of each file of code, and what `why` names as the cause."""
    work = make_work(SNAKEFILE, **FILES)
    work.store = store
    (work.folder / "tools/three.sh").chmod(0o755)
    work.snakemake("all")
    scripts = {
        "scripts/one.py",
        "scripts/one_lib.py",
        "pylib/packaged.py",
        "tools/given.sh",
        "tools/settings.sh",
        "tools/three.sh",
    }
    assert code(work, "shell.txt") == {"Snakefile", "rules/common.smk", "tools/five.sh", *scripts}
    assert code(work, "script.txt") == {"Snakefile", "scripts/four.py", "tools/six.sh", "shared/util.py"}
    assert code(work, "run.txt") == {"Snakefile", "lib/naming.py", "tools/three.sh"}
    assert code(work, "help.txt") == {"rules/help.smk"}
    assert affected(work, "rules/help.smk") == {"help.txt"}
    assert affected(work, "rules/common.smk") == {"shell.txt"}
    assert affected(work, "Snakefile") == {"shell.txt", "script.txt", "run.txt"}
    assert affected(work, "scripts/one_lib.py") == {"shell.txt"}
    line = SNAKEFILE.splitlines().index("rule shell:") + 1
    assert f"line {line}" in work.say("show", "shell.txt")

    # Neither a comment nor another rule is a cause; what the rule names is.
    work.write("Snakefile", SNAKEFILE.replace("rule run:", "# about run\n\nrule other:\n    output: 'o'\n\nrule run:"))
    work.write("lib/naming.py", "def upper(text): return text.upper() + '!'\n")
    work.write("rules/common.smk", COMMON.replace("UNUSED = 1", "UNUSED = 2"))
    work.write("data/in.txt", "other\n")
    work.snakemake("shell.txt", "run.txt", "--forcerun", "run", "shell")
    assert _causes(work, "run.txt") == [("code", "lib/naming.py")]
    assert _causes(work, "shell.txt") == [("input", "data/in.txt")]
    work.write("rules/common.smk", COMMON.replace('"data/in.txt"', '"tools/five.sh"'))
    work.snakemake("shell.txt")
    assert ("code", "rules/common.smk") in _causes(work, "shell.txt")


def _causes(work: Work, path: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["name"]) for one in work.ask("why", path)["causes"]]


TRACKED = """
import snakeprov
snakeprov.track(workflow)

rule count:
    input: "made.sh"
    output: "count.txt", directory("parts")
    shell: "sh {input} > {output[0]}; mkdir {output[1]}; date +%N > {output[1]}/a.txt"

rule script:
    input: "template.txt"
    output: "made.sh"
    shell: "cat {input} > {output}; echo '# '$(date +%N) >> {output}"
"""


def test_results_under_version_control_are_no_dirt(make_work: Callable[..., Work]) -> None:
    """Neither changed results nor a script that the workflow writes make a commit dirty; changed code does."""
    work = make_work(TRACKED, **{"template.txt": "date +%N\n", ".gitignore": ".snake*\nno-config\n"})
    work.snakemake("count.txt")
    work.commit()
    work.write("parts/a.txt", "edited\n")
    work.snakemake("count.txt", "--forcerun", "script")
    assert work.git("status", "--porcelain"), "the results differ from the commit"
    shown = work.ask("show", "count.txt")
    assert shown["run"]["git"]["dirty"] is False
    assert "made.sh" in code(work, "count.txt")
    assert "its code is that of commit" in work.say("show", "--patch", "count.txt", status=3)
    work.write("Snakefile", TRACKED + "# a comment\n")
    work.snakemake("count.txt", "--forceall")
    assert work.ask("show", "count.txt")["run"]["git"]["dirty"] is True
    changed = [line for line in work.say("show", "--patch", "count.txt").splitlines() if line.startswith("+++")]
    assert changed == ["+++ b/Snakefile"]
