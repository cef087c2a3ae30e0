"""From what was captured to what is stored: the outbox, the plan, the delivery.

Must not know: SQL, Snakemake.

What debugging needs is logged to `snakeprov.recorder`, at the level DEBUG: never into Snakemake's terminal by itself.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
