"""Secrets: where they are in a text, and their removal from the records of a run.

`redactor` cleans records. `finders` finds secrets in a text: under the names that `names` lists, in the pairs of
`pairs`, in the commands of `logins`. `quoting` says where a value ends.
"""
