"""Files on disk: what they look like, the digest of their bytes, how they are replaced, and the layout of our folders.

Must not know: what a file means to a workflow, HTTP, the tables of a store.
"""
