"""How snakeprov sees a running workflow: the only room that names Snakemake's classes and attributes.

Must not know: what becomes of a record once it is handed to the recorder.
"""
