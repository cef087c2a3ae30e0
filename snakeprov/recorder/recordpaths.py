"""The paths under which a store has the files of a record."""

from __future__ import annotations

import re

from msgspec import structs

from snakeprov.model.paths import from_storage
from snakeprov.model.records import CodeFact, FileFact, JobRecord
from snakeprov.recorder.digesting import Observations, code_of


def path_of(fact: FileFact) -> str:
    """Return the path under which the store has a file: that of its storage object where it is one.

    >>> path_of(FileFact(path=".snakemake/storage/s3/bucket/a.csv", storage_query="s3://bucket/a.csv"))
    's3:/bucket/a.csv'
    """
    if fact.storage_query is not None:
        return from_storage(fact.storage_query) or fact.path
    is_directory = fact.kind == "directory" or (fact.kind == "missing" and "directory" in fact.flags)
    return fact.path + "/" if is_directory else fact.path


def code_path_of(code: CodeFact) -> str | None:
    """Return the path under which the store has a code file, None where there is no file of it.

    >>> code_path_of(CodeFact(role="wrapper", path="/home/ada/.cache/x1/wrapper.py", url="https://host//a/wrapper.py"))
    'https:/host/a/wrapper.py'
    """
    return code.recorded_path or _fetched_path(code.path, code.url)


def environment_path_of(job: JobRecord) -> str | None:
    """Return the path under which the store has the file of the conda environment of a job, None without one."""
    return job.conda_env_recorded_path or _fetched_path(job.conda_env_path, job.conda_env_url)


def with_recorded_paths(job: JobRecord, observations: Observations) -> JobRecord:
    """Return a job with all its code, each file with the path it is recorded under."""

    def recorded(path: str | None, url: str | None) -> str | None:
        seen = observations.get(path or "")
        found = _fetched_path(path, url) if seen is None or seen.recorded_path is None else seen.recorded_path
        return None if found == path else found

    def completed(code: CodeFact) -> CodeFact:
        path = recorded(code.path, code.url)
        return code if path is None else structs.replace(code, recorded_path=path)

    return structs.replace(
        job,
        code=[completed(code) for code in code_of(job, observations)],
        conda_env_recorded_path=recorded(job.conda_env_path, job.conda_env_url),
    )


def _fetched_path(path: str | None, url: str | None) -> str | None:
    """Return the path of a file; that of its URL where it is a fetched copy, which lies in another folder each time."""
    if url is not None and path is not None:
        return re.sub("/+", "/", url).strip("/") or path
    return path


def is_stream(fact: FileFact) -> bool:
    """Return whether the bytes went by without lying anywhere: what is known is who made them and who used them."""
    return "pipe" in fact.flags or "service" in fact.flags
