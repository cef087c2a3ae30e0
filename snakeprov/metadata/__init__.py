"""What Snakemake itself wrote down of past jobs, in `.snakemake/`: read, and compared with what is on disk now.

Must not know: Snakemake's code (only the files that it leaves), or what becomes of the records.
"""
