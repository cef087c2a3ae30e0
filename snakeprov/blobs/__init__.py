"""Contents, stored by their digest.

Must not know: the records (`snakeprov.db`, `snakeprov.model`), HTTP.
"""
