"""Questions about how things came to be, answered from a graph of entity versions and activities.

Must not know: where the graph came from (no I/O) or how the answer is shown.
"""
