"""Code, read as text and never run: which files it leads to, and what defines a rule.

`imports` follows the code of a job to the local files that it reads or runs. It asks `pythonimports` and
`pythonprograms` about Python, `sourced` about other languages, and `programs` about shell commands, which `shell`
parses. `definitions` finds what a Snakefile, parsed by `snakefiles`, says of one rule.
"""
