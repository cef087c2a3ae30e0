r"""Paths as text that JSON and SQL can hold, and the entity names that they become.

A path on disk is bytes; most are UTF-8, some are not. Its *text form* is the path itself where that is valid
UTF-8 and holds no `\x`; else every backslash is doubled and every byte that is not UTF-8 is written `\xNN`. The
text form is unique and can be turned back.

In a repository a file lies under Project / Folder / … after its path relative to the working directory of the
workflow. A path outside of it lies under the folder `(root)`, by its absolute path. Code outside of it that lies in a
git repository has a path that begins with `git:/` and the name of that repository
(`snakeprov.capture.git.repositories`). A directory recorded as one thing has a name that ends with a slash.
"""

from __future__ import annotations

import os
import posixpath
import re

OUTSIDE = "(root)"
"""The top folder of everything that lies outside the working directory."""

REPOSITORIES = "git:/"
"""What the paths of code in git repositories outside of the working directory begin with."""

_IN_REPOSITORY = re.compile(rf"({REPOSITORIES}(?:[^/]+/)*?[^/]+\.git)/(.+)", re.DOTALL)

_ESCAPED_OUTSIDE = "\\x28root)"
"""The name of a thing inside the working directory that is itself called `(root)`; the text form of no path."""

TOOL_FOLDERS = frozenset({".snakeprov", ".snakemake", ".git"})
"""Names of folders that belong to tools: their files are not results, and change by themselves while jobs run."""

TIMESTAMP = ".snakemake_timestamp"
"""The file with which Snakemake marks a `directory()` output; no rule made it, and nobody's data is in it."""

_NOT_OWN = frozenset({"", ".", "..", *TOOL_FOLDERS})

_ESCAPED = re.compile(r"\\(?:\\|x([89a-f][0-9a-f]))")


def to_text(path: str | bytes | os.PathLike[str]) -> str:
    r"""Return the text form of a path as the operating system gives it.

    >>> to_text("results/ünïcode 1.txt")
    'results/ünïcode 1.txt'
    >>> to_text(b"caf\xe9.txt")
    'caf\\xe9.txt'
    """
    if type(path) is str and path.isascii() and "\\x" not in path:
        return path
    raw = os.fspath(path)
    name = os.fsdecode(raw)
    if "\\x" not in name:
        if name.isascii():
            return name
        try:
            name.encode()
        except UnicodeEncodeError:
            pass
        else:
            return name
    return _escape(name)


def _escape(name: str) -> str:
    doubled = name.replace("\\", "\\\\")
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in doubled)


def to_os(text: str) -> str:
    r"""Return the path whose text form is `text`, as Python's file functions take it.

    >>> os.fsencode(to_os("caf\\xe9.txt"))
    b'caf\xe9.txt'
    """
    if "\\x" not in text:
        return text
    return _ESCAPED.sub(lambda m: chr(0xDC00 + int(m[1], 16)) if m[1] else "\\", text)


def is_timestamp(path: str) -> bool:
    """Return whether a path, in whatever form, is that of Snakemake's own file in a directory.

    >>> is_timestamp("parts/.snakemake_timestamp"), is_timestamp("parts/a.txt")
    (True, False)
    """
    return path.rpartition("/")[2] == TIMESTAMP


def relative_to(text: str, directory: str) -> str:
    """Return `text` relative to `directory` where it lies inside it, else absolute; always normalised.

    Both are text forms; `directory` is absolute and normalised, and is itself `.`.

    >>> relative_to("./results//a.txt", "/home/ada/project")
    'results/a.txt'
    >>> relative_to("/home/ada/project/results/a.txt", "/home/ada/project")
    'results/a.txt'
    >>> relative_to("../reference.fa", "/home/ada/project")
    '/home/ada/reference.fa'
    """
    if text and text[0] not in "/." and text[-1] != "/" and not ("//" in text or "/." in text or "\\x" in text):
        return text  # the usual case, which is normalised as it is
    if "\\x" in text or "\\x" in directory:
        return to_text(_relative_to(to_os(text), to_os(directory)))
    return _relative_to(text, directory)


def _relative_to(path: str, directory: str) -> str:
    path = posixpath.normpath(path)
    if not path.startswith("/") and path != ".." and not path.startswith("../"):
        return path
    path = posixpath.normpath(posixpath.join(directory, path))
    if path.startswith("//"):
        path = path[1:]
    if path == directory:
        return "."
    inside = directory if directory.endswith("/") else directory + "/"
    return path[len(inside) :] if path.startswith(inside) else path


def from_storage(query: str) -> str:
    """Return the path under which a repository has the storage object of a query, which can be a path itself.

    >>> from_storage("s3://bucket/a.csv"), from_storage("/shared/a.csv")
    ('s3:/bucket/a.csv', '/shared/a.csv')
    """
    path = re.sub("/+", "/", query)
    return path.strip("/") if "://" in query else path


def in_repository(repository: str, path: str) -> str:
    """Return the path under which a file is recorded by the name of its git repository and its path in it.

    >>> in_repository("github.com/lab/pipeline.git", "workflow/Snakefile")
    'git:/github.com/lab/pipeline.git/workflow/Snakefile'
    """
    return to_text(f"{REPOSITORIES}{repository}/{path}")


def is_in_repository(path: str) -> bool:
    """Return whether a recorded path is that of code in a git repository outside of the working directory."""
    return path.startswith(REPOSITORIES)


def split_repository(path: str) -> tuple[str, str]:
    """Return what names the git repository in a recorded path, and the path in it; nothing twice where none does.

    >>> split_repository("git:/github.com/lab/pipeline.git/workflow/Snakefile")
    ('git:/github.com/lab/pipeline.git', 'workflow/Snakefile')
    >>> split_repository("results/a.txt")
    ('', '')
    """
    found = _IN_REPOSITORY.fullmatch(path)
    return (found[1], found[2]) if found is not None else ("", "")


def is_own_place(path: str) -> bool:
    """Return whether a recorded path names a file or directory that a workflow may have in its working directory.

    What a store says is not trusted with more: nothing is written to other places, or to folders that programs trust.

    >>> is_own_place("results/a.txt"), is_own_place("../a"), is_own_place("/etc/passwd"), is_own_place("x/.git/config")
    (True, False, False, False)
    """
    names = path.removesuffix("/").split("/")
    return "\0" not in path and not any(name in _NOT_OWN for name in names)


def to_names(path: str) -> tuple[str, ...]:
    """Return the names of the folders and of the file that a path becomes below its project.

    `path` is a text form made by `relative_to`; a directory recorded as one thing ends with a slash.

    >>> to_names("results/a.txt"), to_names("/data/reference.fa"), to_names("results/parts/")
    (('results', 'a.txt'), ('(root)', 'data', 'reference.fa'), ('results', 'parts/'))
    """
    names = [name for name in path.split("/") if name]
    if "\\x" in path:
        names = [to_text(name) for name in to_os(path).split("/") if name]
    if path.startswith("/"):
        names.insert(0, OUTSIDE)
    elif names and names[0] == OUTSIDE:
        names[0] = _ESCAPED_OUTSIDE
    if path.endswith("/") and names:
        names[-1] += "/"
    return tuple(names)


def from_names(names: tuple[str, ...]) -> str:
    """Return the path that `to_names` turned into `names`.

    >>> from_names(("(root)", "data", "reference.fa"))
    '/data/reference.fa'
    """
    if not names:
        return ""
    first, rest = names[0], names[1:]
    if first.removesuffix("/") == OUTSIDE:
        first = "" if rest else "/"
    elif first.removesuffix("/") == _ESCAPED_OUTSIDE:
        first = first.replace(_ESCAPED_OUTSIDE, OUTSIDE)
    return to_text("/".join(map(to_os, (first, *rest))))


def folders_above(path: str) -> list[str]:
    """Return the paths of the folders that a file lies in, the outermost first, as text forms.

    >>> folders_above("results/plots/a.png"), folders_above("/data/a.fa"), folders_above("parts/")
    (['results', 'results/plots'], ['/', '/data'], [])
    """
    parts = path.rstrip("/").split("/")[:-1]
    return ["/".join(parts[:end]) or "/" for end in range(1, len(parts) + 1)]


def is_elsewhere(path: str) -> bool:
    """Return whether a recorded path does not say where a file lies on disk.

    It is then that of a storage object, its URL with single slashes, or begins with the name of a git repository.

    >>> is_elsewhere("s3:/bucket/a.csv"), is_elsewhere("results/a:/b"), is_elsewhere("/abs/a.csv")
    (True, False, False)
    """
    scheme, colon, _ = path.partition(":/")
    return bool(colon) and scheme.isalnum() and not path.startswith("/")
