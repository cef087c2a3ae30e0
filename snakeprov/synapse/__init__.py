"""Everything that only Synapse needs: how to reach it, what it takes, how it is asked, and how jobs become known to it.

Must not know: Snakemake, SQL, our own server.
"""
