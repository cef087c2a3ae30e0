"""Read what Snakemake keeps of each output, from either of its back-ends, without writing or locking.

* Files: `.snakemake/metadata/` holds one JSON file for each output, named by the URL-safe base64 of its path. A name
  too long for the file system is cut into folders whose names begin with `@`. `.snakemake/incomplete/` names, in the
  same way, outputs of jobs that began and did not end.
* Database (`--persistence-backend db`): the table `snakemake_metadata` of `.snakemake/metadata.db`, with the folder
  `.snakemake` as the namespace. A working directory that was moved is known again if there is only one namespace.

Snakemake 8.30 writes format 5, 9.27 format 6; what a record lacks is None.
"""

from __future__ import annotations

import binascii
import os
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

FOLDER_NAME: Final = ".snakemake"

RECORD_BYTES_MAX: Final = 64 << 20
"""Larger files are not records."""

_BUSY_TIMEOUT_S: Final = 10.0

_COLUMNS: Final = (
    "rule, input, log, params, shellcmd, code, conda_env, container_img_url, job_hash, starttime, endtime, "
    "incomplete, external_jobid, input_checksums"
)
_JSON_COLUMNS: Final = ("input", "log", "params", "input_checksums")


class Stored(msgspec.Struct, kw_only=True):
    """What Snakemake keeps of one output. Times are seconds since 1970.

    Attributes:
        target: The path of the output as the rule has it, or the query of a storage object.
        input, log: Sorted; a pipe is `<pipe>`, a storage object its query.
        params: Sorted `repr`s; names are not kept.
        code: The command with its placeholders, the source of `run:`, or the line that names the script.
        job_hash: The same for all outputs of a job, in one run of Snakemake.
        starttime: When the job was marked as begun.
        endtime: The modification time of the output when the job had ended.
        incomplete: Whether the job began and did not end.
        input_checksums: Of small inputs, by path: `sha256:…`.
    """

    target: str = ""
    rule: str | None = None
    input: list[str] | None = None
    log: list[str] | None = None
    params: list[Any] | None = None
    shellcmd: str | None = None
    code: str | None = None
    conda_env: str | None = None
    container_img_url: str | None = None
    job_hash: int | None = None
    starttime: float | None = None
    endtime: float | None = None
    incomplete: bool | None = None
    external_jobid: str | None = None
    input_checksums: dict[str, Any] | None = None


@dataclass
class Metadata:
    """What was found.

    Attributes:
        records: One for each output.
        unreadable: Where records lie that cannot be read, in words.
    """

    records: list[Stored] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def is_there(working_directory: Path) -> bool:
    """Return whether Snakemake has kept anything of workflows that ran in `working_directory`."""
    folder = working_directory / FOLDER_NAME
    return (folder / "metadata").is_dir() or (folder / "metadata.db").is_file()


def outputs(working_directory: Path) -> set[str]:
    """Return the paths of all outputs of jobs that began in `working_directory`, as far as Snakemake still knows.

    Absolute, but not normalised. Outputs in remote storage are left out.
    """
    working_directory = working_directory.resolve()
    folder = working_directory / FOLDER_NAME
    named = (target for name in ("metadata", "incomplete") for target, _ in _named_files(folder / name, None))
    found = {target for target in named if target is not None}
    found.update(record.target for record in _read_database(folder, None, Metadata()))
    return {str(working_directory / target) for target in found if "://" not in target and "\0" not in target}


def read(working_directory: Path, *, since_s: float | None = None) -> Metadata:
    """Return what Snakemake keeps of workflows that ran in `working_directory`, in no particular order.

    Args:
        working_directory: Absolute.
        since_s: Only of jobs that began or ended at this time or later, in seconds since 1970. (An output may be older
            than its job: `cp -p` makes such.)
    """
    folder = working_directory / FOLDER_NAME
    found = Metadata()
    by_target: dict[str, Stored] = {}
    marked = {target for target, _ in _named_files(folder / "incomplete", None) if target is not None}
    for target, path in _named_files(folder / "metadata", since_s):
        record = None if target is None else _read_file(path)
        if target is None or record is None:
            found.unreadable.append(path)
            continue
        record.target = target
        record.incomplete = record.incomplete or target in marked
        by_target[target] = record
    for record in _read_database(folder, since_s, found):
        earlier = by_target.get(record.target)
        if earlier is None or (record.endtime or 0) > (earlier.endtime or 0):
            by_target[record.target] = record
    found.records = [
        one for one in by_target.values() if since_s is None or max(one.starttime or 0, one.endtime or 0) >= since_s
    ]
    return found


def _named_files(folder: Path, since_s: float | None, *, above: str = "") -> Iterator[tuple[str | None, str]]:
    """Yield the output that each file stands for, None where its name says none, and where the file lies."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _named_files(Path(entry.path), since_s, above=above + entry.name.removeprefix("@"))
                elif since_s is None or entry.stat().st_mtime >= since_s:
                    yield _decode(above + entry.name), entry.path
    except FileNotFoundError:
        return


def _decode(name: str) -> str | None:
    try:
        return urlsafe_b64decode(name).decode()
    except (binascii.Error, ValueError):
        return None


_decode_record = msgspec.json.Decoder(Stored).decode


def _read_file(path: str) -> Stored | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  thousands of them: no Path is made
            content = file.read(RECORD_BYTES_MAX)
        return _decode_record(content)
    except (OSError, msgspec.MsgspecError):
        return None


def _read_database(folder: Path, since_s: float | None, found: Metadata) -> Iterator[Stored]:
    path = folder / "metadata.db"
    if not path.is_file():
        return
    try:
        uri = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S)) as connection:
            connection.row_factory = sqlite3.Row
            namespace = _namespace(connection, str(folder))
            rows = connection.execute(
                f"SELECT target, {_COLUMNS} FROM snakemake_metadata"  # noqa: S608  only constants
                " WHERE namespace = ? AND max(coalesce(starttime, 0), coalesce(endtime, 0)) >= ?",
                (namespace, since_s or 0),
            )
            for row in rows:
                record = _from_row(row)
                if record is None:
                    found.unreadable.append(f"{path}: {row['target']}")
                else:
                    yield record
    except sqlite3.Error as error:
        found.unreadable.append(f"{path} ({error})")


def _namespace(connection: sqlite3.Connection, own: str) -> str:
    names = [name for (name,) in connection.execute("SELECT DISTINCT namespace FROM snakemake_metadata")]
    return names[0] if len(names) == 1 else own


def _from_row(row: sqlite3.Row) -> Stored | None:
    values = dict(row)
    try:
        for name in _JSON_COLUMNS:
            values[name] = msgspec.json.decode(values[name]) if values[name] is not None else None
        return msgspec.convert(values, Stored, strict=False)
    except msgspec.MsgspecError:
        return None
