"""Answer questions about provenance from a graph of versions and activities, and from the facts of jobs.

Must not know: the client, files on disk, the screens. Pure functions.
"""
