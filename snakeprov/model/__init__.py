"""Plain values without input or output: the vocabulary of snakeprov.

Must not know: files on disk, HTTP, SQL, Snakemake. Field names are snake_case here and camelCase on the wire
(`size_bytes` is `sizeBytes`); absent values are left out of the wire form, never sent as null.
"""
