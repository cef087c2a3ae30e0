"""Files on disk and what is recorded of them: comparing, restoring, checking out.

Must not know: the command line, SQL, Snakemake.
"""
