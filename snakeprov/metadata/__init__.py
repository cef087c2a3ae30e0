"""Snakemake's own metadata of past jobs in `.snakemake/`: read it, and compare it with the files on disk.

Must not know: Snakemake's code (only the files that it leaves), the recorder.
"""
