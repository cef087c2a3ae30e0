"""Facts read from disk: code and its version control, the software of an environment, secrets in what is recorded.

Must not know: Snakemake, HTTP, SQLAlchemy.
"""
