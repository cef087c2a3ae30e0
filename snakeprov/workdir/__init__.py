"""Compare files on disk with their records, restore versions, check out runs.

Must not know: the command line, SQL, Snakemake.
"""
