"""Remove users, hosts and absolute paths from an export.

Users, hosts, working directories and absolute paths are taken out of the records. The bytes of files are what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from snakeprov.export.layout import OUTSIDE
from snakeprov.export.material import Activity, Material, Use, remote_of
from snakeprov.model.answers import Run, Version
from snakeprov.model.records import code_paths

Record = TypeVar("Record", bound=msgspec.Struct)

_WORDS: Final = frozenset({"id", "run_id", "status", "kind", "role", "flags"})
"""Fields of records whose texts are words or ids that snakeprov defines, and identify nobody."""

_ABSOLUTE: Final = re.compile(
    r"(?<![\w.~/-])(?!(?<=:)//)(?:~[\w.-]*)?/+(?!dev/(?:null|stdin|stdout|stderr)\b)(?:[^\s'\"|;&<>(),:=\[\]{}]*/)?"
)
"""An absolute path up to its last name; not the path of a URL, but that of `host:/path`."""

_FILE_URL: Final = re.compile(r"file://[^\s'\"/]*/(?:[^\s'\"]*/)?")

_WORD_MIN: Final = 3
"""Shorter names of users and hosts cannot be told from other text."""


def public(material: Material) -> Material:
    """Return what may be shown to everybody."""
    names = sorted(
        {name for run in material.runs.values() for name in (run.user, run.host) if name}
        | {version.created_by for version in material.versions.values() if version.created_by},
        key=len,
        reverse=True,
    )
    paths = {version.path: _path(version) for version in material.versions.values()}
    placed = [one for activity in material.activities for one in code_paths(activity.job).items()]
    paths |= {place: paths[path] for place, path in placed if path in paths}
    folders = {run.working_directory.rstrip("/") for run in material.runs.values()}
    folders |= {run.git.root for run in material.runs.values() if run.git}
    clean = _Cleaner(
        [name for name in names if len(name) >= _WORD_MIN], paths, sorted(folders - {""}, key=len, reverse=True)
    )
    return msgspec.structs.replace(
        material,
        versions={id_: clean.version(version) for id_, version in material.versions.items()},
        activities=tuple(clean.activity(one) for one in material.activities),
        runs={id_: clean.run(run) for id_, run in material.runs.items()},
        environments={digest: clean.value(one) for digest, one in material.environments.items()},
    )


class _Cleaner:
    def __init__(self, names: list[str], paths: Mapping[str, str], folders: list[str]) -> None:
        self._paths = paths
        self._folders = folders
        words = "|".join(map(re.escape, names))
        self._names = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])") if names else None

    def version(self, version: Version) -> Version:
        return msgspec.structs.replace(version, path=_path(version), created_by=None)

    def activity(self, activity: Activity) -> Activity:
        job = activity.job
        code = [
            self._record(one, path=self._path(one.path), recorded_path=self._path(one.recorded_path))
            for one in job.code
        ]
        job = self._record(
            job,
            code=code,
            conda_env_path=self._path(job.conda_env_path),
            conda_env_recorded_path=self._path(job.conda_env_recorded_path),
            conda_prefix=None,
            container_path=None,
            external_job_id=None,
            group=None,
        )
        return msgspec.structs.replace(
            activity,
            name=self.text(activity.name),
            job=job,
            used=tuple(map(self._use, activity.used)),
            made=tuple(
                msgspec.structs.replace(one, name=None if one.name is None else self.text(one.name))
                for one in activity.made
            ),
        )

    def run(self, run: Run) -> Run:
        git = run.git
        if git is not None:
            git = self._record(git, root="", remote=None if remote_of(run) is None else self.text(git.remote or ""))
        return self._record(
            run,
            git=git,
            git_problem=None,
            host=None,
            user=None,
            working_directory="",
            snakefile=self._path(run.snakefile),
        )

    def _record(self, record: Record, **instead: Any) -> Record:
        """Return a record with every text in it cleaned, but for the fields that are given."""
        found = {
            name: self.value(getattr(record, name))
            for name in record.__struct_fields__
            if name not in _WORDS and name not in instead
        }
        return msgspec.structs.replace(record, **found, **instead)

    def value(self, value: Any) -> Any:
        """Return a value of a record with every text in it cleaned."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(one) for name, one in value.items()}
        if isinstance(value, msgspec.Struct):
            return self._record(value)
        return [self.value(one) for one in value] if isinstance(value, list | tuple) else value

    def text(self, text: str) -> str:
        """Return text without users, hosts and absolute paths; the last name of a path stays."""
        for folder in self._folders:
            text = text.replace(f"{folder}/", "")
        text = _ABSOLUTE.sub("", _FILE_URL.sub("", text))
        return text if self._names is None else self._names.sub("_", text)

    def _path(self, path: str | None) -> str | None:
        return None if path is None else self._paths.get(path) or self.text(path)

    def _use(self, use: Use) -> Use:
        url = use.url
        if url is not None and not re.match(r"(?!file:)[A-Za-z][\w+.-]*://", url):
            url = self.text(url)
        return msgspec.structs.replace(use, url=url, name=None if use.name is None else self.text(use.name))


def _path(version: Version) -> str:
    """Return a path that does not reveal the location of the working directory."""
    if not version.path.startswith("/"):
        return version.path
    slash = "/" if version.is_directory else ""
    return f"{OUTSIDE}/{version.entity_id}/{version.path.rstrip('/').rsplit('/', 1)[-1]}{slash}"
