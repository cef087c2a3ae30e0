"""Turn answers and model values into text for people: pure functions.

Must not know: the client, files on disk. Whether the output is a terminal is an argument.
"""
