"""Git: the commit that a file is at, what differs from it, where others can read it, and the files of a commit.

`reader` answers for the files of a run. It reads repositories with `library` where that is enough, and runs the git
program with `program` where it is not.
"""
