"""From what was captured to what is stored: the outbox, the plan, the delivery.

Must not know: SQL, Snakemake.
"""
