"""From what was captured to what is stored: the outbox, the plan, the delivery.

Must not know: SQL, Snakemake.

A job on its way to the store passes these rooms:

| room | what happens there |
|---|---|
| `recorder`, `channel` | in Snakemake's process: the record is appended to the outbox, its files are handed on |
| `outbox`, `entries`, `owners`, `backlog` | the record lies on disk |
| `process` | the delivering process hears of it |
| `delivery` | the loop: takes records out, keeps or acknowledges them; for leftovers, backfill and manual steps too |
| `digesting`, `heldfiles`, `directories`, `executed` | *observe*: what its bytes are and what code ran (`observed`) |
| `deliver` | leads it through what follows, against a `target` |
| `catalog`, `explaining`, `circumstances` | *look up*: what the store says of these bytes; environment, permalinks |
| `versions` | *decide*: which version each file is (`model.meaning`) |
| `assemble`, `plan` | *assemble*: Activity, versions and links as requests, which `client` sends |

What debugging needs is logged to `snakeprov.recorder`, at the level DEBUG: never into Snakemake's terminal by itself.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
