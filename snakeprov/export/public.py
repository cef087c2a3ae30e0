"""An export without what tells who made it, and on which machine.

Must not know: which form it will take.

Users, hosts, working directories and absolute paths are taken out of the records. The bytes of files are what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from snakeprov.export.layout import OUTSIDE
from snakeprov.export.material import Activity, Json, Material, Use, Version, remote_of
from snakeprov.model.records import code_paths

_PRIVATE_OF_RUN: Final = ("user", "host", "workingDirectory", "gitProblem")
_PRIVATE_OF_JOB: Final = ("condaPrefix", "containerPath", "externalJobId", "group")

_ABSOLUTE: Final = re.compile(
    r"(?<![\w.~/-])(?!(?<=:)//)(?:~[\w.-]*)?/+(?!dev/(?:null|stdin|stdout|stderr)\b)(?:[^\s'\"|;&<>(),:=\[\]{}]*/)?"
)
"""An absolute path up to its last name; not the path of a URL, but that of `host:/path`."""

_FILE_URL: Final = re.compile(r"file://[^\s'\"/]*/(?:[^\s'\"]*/)?")

_WORD_MIN: Final = 3
"""A shorter name of a user or a host is no name that could be told from other text."""


def public(material: Material) -> Material:
    """Return what may be shown to everybody."""
    names = sorted(
        {str(run[key]) for run in material.runs.values() for key in ("user", "host") if run.get(key)}
        | {version.created_by for version in material.versions.values() if version.created_by},
        key=len,
        reverse=True,
    )
    paths = {version.path: _path(version) for version in material.versions.values()}
    placed = [one for activity in material.activities for one in code_paths(activity.job).items()]
    paths |= {place: paths[path] for place, path in placed if path in paths}
    folders = {
        str(run["workingDirectory"]).rstrip("/") for run in material.runs.values() if run.get("workingDirectory")
    }
    folders |= {str(run["git"]["root"]) for run in material.runs.values() if (run.get("git") or {}).get("root")}
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
        job = {name: value for name, value in activity.job.items() if name not in _PRIVATE_OF_JOB}
        code = [self._with_paths(one, "path", "recordedPath") for one in activity.job.get("code") or ()]
        job = self._with_paths(job, "condaEnvPath", "condaEnvRecordedPath")
        return msgspec.structs.replace(
            activity,
            name=self.text(activity.name),
            job={**job, "code": code},
            used=tuple(map(self._use, activity.used)),
            made=tuple(
                msgspec.structs.replace(one, name=None if one.name is None else self.text(one.name))
                for one in activity.made
            ),
        )

    def run(self, run: Json) -> Json:
        known = {name: value for name, value in run.items() if name not in _PRIVATE_OF_RUN}
        git = {name: value for name, value in (run.get("git") or {}).items() if name != "root"}
        if remote_of(run) is None:
            git.pop("remote", None)
        kept = {"id": run["id"], "snakefile": self._path(run.get("snakefile"))}
        return {**self.value(known), **kept, **({"git": git} if git else {})}

    def value(self, value: Any) -> Any:
        """Return a value of a record with every text in it cleaned."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(one) for name, one in value.items()}
        return [self.value(one) for one in value] if isinstance(value, list | tuple) else value

    def text(self, text: str) -> str:
        """Return text without users, hosts and absolute paths; the last name of a path stays."""
        for folder in self._folders:
            text = text.replace(f"{folder}/", "")
        text = _ABSOLUTE.sub("", _FILE_URL.sub("", text))
        return text if self._names is None else self._names.sub("_", text)

    def _with_paths(self, record: Mapping[str, Any], *names: str) -> dict[str, Any]:
        """Return a cleaned record, some of whose fields are recorded paths."""
        return {**self.value(record)} | {name: self._path(record[name]) for name in names if record.get(name)}

    def _path(self, path: str | None) -> str | None:
        return None if path is None else self._paths.get(path) or self.text(path)

    def _use(self, use: Use) -> Use:
        url = use.url
        if url is not None and not re.match(r"(?!file:)[A-Za-z][\w+.-]*://", url):
            url = self.text(url)
        return msgspec.structs.replace(use, url=url, name=None if use.name is None else self.text(use.name))


def _path(version: Version) -> str:
    """Return a path that does not tell where the working directory lies."""
    if not version.path.startswith("/"):
        return version.path
    slash = "/" if version.is_directory else ""
    return f"{OUTSIDE}/{version.entity_id}/{version.path.rstrip('/').rsplit('/', 1)[-1]}{slash}"
