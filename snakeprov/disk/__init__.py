"""Files on disk: state, digests, atomic replacement, and the layout of snakeprov's folders.

Must not know: any room but `snakeprov.model`, errors and settings.
"""
