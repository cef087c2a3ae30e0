"""What is found out about files, directories, code and its version control: facts, read from disk.

Must not know: Snakemake, the store, SQL of the store, HTTP.
"""
