"""Reads git repositories from their files with GitPython, without starting a process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakeprov.errors import CaptureError

if TYPE_CHECKING:
    import git


def find_root(directory: Path) -> Path | None:
    """Return the innermost directory, from `directory` upwards, that holds a git repository."""
    for candidate in (directory, *directory.parents):
        dot_git = candidate / ".git"
        try:
            if dot_git.is_file() or (dot_git / "HEAD").is_file():
                return candidate
        except OSError:
            return None
    return None


def has_tags(common: Path) -> bool:
    try:
        if any((common / "refs" / "tags").iterdir()):
            return True
        return b" refs/tags/" in (common / "packed-refs").read_bytes()
    except OSError:
        return False


def open_repository(root: Path) -> git.Repo:
    """Open a repository so that reading it starts no process.

    Raises:
        Exception: Anything: a library reads a stranger's files here.
    """
    gitpython = _import_gitpython()
    from gitdb import GitDB  # type: ignore[import-untyped]

    repository: git.Repo = gitpython.Repo(root, expand_vars=False)
    common = _common_directory(Path(repository.git_dir))
    if not common.samefile(repository.common_dir):
        raise CaptureError("an environment variable (GIT_COMMON_DIR) names another one")
    # GitPython's own object database starts `git cat-file`; this one reads the files, and no variable diverts it.
    repository.odb = GitDB(str(common / "objects"))
    return repository


def _import_gitpython() -> Any:
    """Import GitPython, which by itself refuses to be imported where there is no git program."""
    try:
        import git
    except ImportError:
        before = os.environ.get("GIT_PYTHON_REFRESH")
        os.environ["GIT_PYTHON_REFRESH"] = "quiet"
        try:
            import git
        finally:
            del os.environ["GIT_PYTHON_REFRESH"]
            if before is not None:
                os.environ["GIT_PYTHON_REFRESH"] = before
    return git


def _common_directory(git_directory: Path) -> Path:
    """Return where the objects and the configuration are; elsewhere for a linked work tree."""
    try:
        return git_directory / os.fsdecode((git_directory / "commondir").read_bytes().rstrip(b"\r\n"))
    except FileNotFoundError:
        return git_directory


def read_head(repository: git.Repo | None) -> tuple[str | None, str | None]:
    """Return commit and branch as far as they can be read without the git program."""
    if repository is None:
        return None, None
    try:
        branch = None if repository.head.is_detached else repository.active_branch.name
        return (repository.head.commit.hexsha if repository.head.is_valid() else None), branch
    except Exception:  # as in `open_repository`
        return None, None


def read_remote_url(repository: git.Repo | None, branch: str | None) -> str | None:
    """Return the URL of the branch's upstream, else of origin, else of the only remote."""
    if repository is None:
        return None
    try:
        config = repository.config_reader()
        urls = {
            section[8:-1]: str(config.get_value(section, "url"))
            for section in config.sections()
            if section.startswith('remote "') and config.has_option(section, "url")
        }
        upstream = str(config.get_value(f'branch "{branch}"', "remote", default="")) if branch else ""
    except Exception:  # as in `open_repository`
        return None
    for name in (upstream, "origin"):
        if name in urls:
            return urls[name]
    return next(iter(urls.values())) if len(urls) == 1 else None
