"""Export records: W3C PROV, RO-Crate, and the methods section of a paper.

Must not know: the server, the command line, Snakemake.
"""
