"""Everything specific to Synapse: access, its rules, questions to it, and delivery to it.

Must not know: Snakemake, SQL, our own server.
"""
