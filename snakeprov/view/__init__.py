"""What people read: pure functions from JSON and model values to text.

Must not know: where the values came from, whether the output is a terminal (an argument), or how to print.
"""
