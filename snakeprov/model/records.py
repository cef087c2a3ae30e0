"""The facts about one run of Snakemake and each of its jobs, written once and never changed.

Every path is in the text form of `snakeprov.model.paths`, relative to the working directory of the run where it
lies inside it, else absolute. Times are aware UTC datetimes. Unknown is None (left out on the wire): nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from snakeprov.model.digest import Digest
from snakeprov.model.paths import from_storage

RECORD_VERSION = 1
"""Version of the stored form of these records."""

JobStatus = Literal[
    "success", "failed", "retried", "interrupted", "touched", "cached", "submitted", "backfilled", "unknown"
]
"""`retried`: this attempt failed and Snakemake tried again. `interrupted`: still running when the run ended."""

RunStatus = Literal["running", "success", "failed", "interrupted", "backfilled", "manual", "unknown"]
"""`backfilled`: no run, but what was found later of jobs that nobody recorded when they ran. `manual`: no run either;
it stands for a manual step in an outbox, and no store receives it."""

JobKind = Literal["shell", "script", "notebook", "wrapper", "run", "cwl", "template", "norun", "manual", "unknown"]
"""`manual`: a step that somebody recorded by hand; see `ManualStep`."""

ByProduct = Literal["log", "benchmark"]
"""What a job writes about itself. Its results are the same whether or not these are."""

FileKind = Literal["file", "directory", "missing", "other", "unknown"]
"""`unknown`: an input that may no longer be what its job read, or a log that its job may not have written."""


class Fingerprint(msgspec.Struct, frozen=True, array_like=True):
    """What `stat` says of a file (links followed): enough to tell that its bytes have not changed since."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


class FileFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What was seen of one input or output of a job.

    Attributes:
        path: Where it lies.
        name: The keyword under which the rule names it, if any.
        flags: Snakemake's flags that matter: temp, protected, directory, pipe, service, ancient, touch, update…
        kind: What was there when the job ended.
        fingerprint: When the job ended; None where there was neither a regular file nor a directory.
        fingerprint_before: Of an input, when the job started, if it differed from the one at its end.
        changed_while_reading: Whether the bytes of an input changed between start and end of the job; None: unknown.
            Decided where the digests are (`snakeprov.recorder.observed`): times, mode and links are not bytes.
        is_shared: Of an input that changed while the job ran: whether another job that was running then names it.
        digest: Known at capture only where nobody else could find it later.
        listing: Of a directory that a job wrote: what names, sizes and times of its members came to when the job ended
            (see `snakeprov.disk.tree.listing_digest`); None where they were too many to look at.
        storage_query: The query of a storage object (an `s3://…` URL, say).
        symlink_target: Where the path is a symbolic link: its target, as written. Where it is a directory that came
            from the cache between workflows: the place in the cache whose members it links to.
        mode: The permissions of a regular file when the job ended (the nine bits of `chmod`).
    """

    path: str
    name: str | None = None
    flags: list[str] = []
    kind: FileKind = "file"
    fingerprint: Fingerprint | None = None
    fingerprint_before: Fingerprint | None = None
    changed_while_reading: bool | None = False
    is_shared: bool = False
    digest: Digest | None = None
    listing: str | None = None
    storage_query: str | None = None
    symlink_target: str | None = None
    mode: int | None = None

    @property
    def stored_path(self) -> str:
        """The path under which a store has the file: that of its storage object where it is one.

        >>> FileFact(path=".snakemake/storage/s3/bucket/a.csv", storage_query="s3://bucket/a.csv").stored_path
        's3:/bucket/a.csv'
        >>> FileFact(path="parts", kind="directory").stored_path
        'parts/'
        """
        if self.storage_query is not None:
            return from_storage(self.storage_query) or self.path
        is_directory = self.kind == "directory" or (self.kind == "missing" and "directory" in self.flags)
        return self.path + "/" if is_directory else self.path

    @property
    def is_stream(self) -> bool:
        """Whether the bytes went by without lying anywhere: what is known is who made them and who used them."""
        return "pipe" in self.flags or "service" in self.flags


class CodeFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One file of code that a job executed, or that its workflow consists of.

    Attributes:
        role: What it is to the job. `workflow`: a Snakefile of the run that is not known to define the job.
        path: Where it lies; for a remote source the cached copy that ran, where there is one.
        recorded_path: The path under which it is recorded, where that is another: by its git repository, or its URL.
        url: A remote source's URL, credentials stripped.
        line: First line in a Snakefile of the rule, or of what the rule names there, counted from 1.
        end_line: The last of these lines.
        digest: sha256 of everything in a Snakefile that defines the rule, without comments and layout: the rule itself
            and the functions, variables and imports that it names. Unknown where the Snakefile cannot be read.
        fingerprint: When the job started.
    """

    role: Literal["snakefile", "workflow", "script", "notebook", "wrapper", "template", "cwl", "module"]
    path: str | None = None
    recorded_path: str | None = None
    url: str | None = None
    line: int | None = None
    end_line: int | None = None
    digest: str | None = None
    fingerprint: Fingerprint | None = None

    @property
    def stored_path(self) -> str | None:
        """The path under which a store has the file, None where there is no file of the code.

        >>> CodeFact(role="wrapper", path="/home/ada/.cache/1/wrapper.py", url="https://host//wrapper.py").stored_path
        'https:/host/wrapper.py'
        """
        return self.recorded_path or fetched_path(self.path, self.url)


class ManualStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What somebody says of a manual step besides the files that it read, executed and wrote.

    Attributes:
        description: What was done.
        used: Ids of entities that were used, and URLs.
        executed: The same, that were executed.
        new_version: Whether to make versions even of the same bytes.
    """

    description: str | None = None
    used: list[str] = []
    executed: list[str] = []
    new_version: bool = False


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One finished job, one attempt at it, or a manual step.

    Attributes:
        id: Minted at capture, unique for ever (32 hex digits).
        run_id: The run it belongs to.
        snakemake_id: Snakemake's own job number in that run.
        step: What was said of it, where it is a manual step, and only there; `rule` is the step's name then.
        logs: Its `log:` files, as the job left them; only the path of one that it did not write.
        benchmark_file: Its `benchmark:` file, in the same form.
        benchmark: What Snakemake measured, for each repetition, by its own names (`s`, `max_rss`, …) and in its units.
        params: Keyword params under their name, positional ones under "0", "1", …; represented safely.
        shellcmd: The command as it ran, whole.
        script: Path or URL of the script, notebook or wrapper as the rule names it.
        resources: As Snakemake resolved them (numbers and text).
        submitted_on, started_on, ended_on: When Snakemake handed it out, when it began, when it ended.
        exit_code: Of the command or script that failed, where Snakemake tells; -9 means killed by signal 9.
        error: What Snakemake said of the failure, bounded.
        log_excerpt: The tail of the job's log file on failure, bounded.
        conda_env_path: The file or folder of the conda environment that was active; the fetched copy of a remote one.
        conda_env_recorded_path: The path under which that file is recorded, where that is another.
        conda_env_url: The URL that names the file of the conda environment that was active.
        conda_prefix: Where the conda environment that was active lies, or its name.
        container: The image of the container that the job ran in.
        container_path: The image's file on this machine.
        env_modules: The environment modules that were loaded.
        declared_environments: Environments that the rule names (conda, container, modules) but that were not known
            to be active: they do not tell what the job ran in.
        incomplete: What could not be captured, in words; empty when everything could.
    """

    id: str
    run_id: str
    rule: str
    status: JobStatus
    record_version: int = RECORD_VERSION
    snakemake_id: int | None = None
    kind: JobKind = "unknown"
    step: ManualStep | None = None
    wildcards: dict[str, str] = {}
    params: dict[str, Any] = {}
    inputs: list[FileFact] = []
    outputs: list[FileFact] = []
    code: list[CodeFact] = []
    shellcmd: str | None = None
    script: str | None = None
    logs: list[FileFact] = []
    benchmark_file: FileFact | None = None
    benchmark: list[dict[str, float]] = []
    threads: int | None = None
    resources: dict[str, Any] = {}
    priority: int | None = None
    reason: str | None = None
    attempt: int = 1
    group: str | None = None
    external_job_id: str | None = None
    is_checkpoint: bool = False
    conda_env_path: str | None = None
    conda_env_recorded_path: str | None = None
    conda_env_url: str | None = None
    conda_env_name: str | None = None
    conda_prefix: str | None = None
    container: str | None = None
    container_path: str | None = None
    env_modules: list[str] = []
    declared_environments: dict[str, str] = {}
    submitted_on: datetime | None = None
    started_on: datetime | None = None
    ended_on: datetime | None = None
    exit_code: int | None = None
    error: str | None = None
    log_excerpt: str | None = None
    incomplete: list[str] = []

    def by_products(self) -> Iterator[tuple[ByProduct, FileFact]]:
        """Yield the files that the job wrote beside its results: logs and benchmark."""
        for fact in self.logs:
            yield "log", fact
        if self.benchmark_file is not None:
            yield "benchmark", self.benchmark_file

    @property
    def environment_path(self) -> str | None:
        """The path under which a store has the file of the job's conda environment, None without one."""
        return self.conda_env_recorded_path or fetched_path(self.conda_env_path, self.conda_env_url)


class StoredJob(JobRecord, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A job as a store keeps it: its record, and what its delivery has added.

    Attributes:
        environment_digest: sha256 of the document that describes the environment (`snakeprov.recorder.circumstances`).
        environment_file_handle_id: Where that document is kept.
    """

    environment_digest: str | None = None
    environment_file_handle_id: str | None = None


def fetched_path(path: str | None, url: str | None) -> str | None:
    """Return the path of a file; that of its URL where it is a fetched copy, which lies in another folder each time."""
    return path if url is None or path is None else from_storage(url).strip("/") or path


def code_paths(job: JobRecord) -> dict[str, str]:
    """Return under which path each file of code of a job is recorded, by where it lay when the job ran.

    >>> script = CodeFact(role="script", path="a.py")
    >>> code_paths(JobRecord(id="1", run_id="2", rule="a", status="success", code=[script]))
    {'a.py': 'a.py'}
    """
    facts = [(fact.path, fact.recorded_path) for fact in job.code]
    facts.append((job.conda_env_path, job.conda_env_recorded_path))
    return {path: recorded or path for path, recorded in facts if path}


def recorded_path(fact: FileFact) -> str:
    """Return under which path a file of a job is recorded, without the slash of a directory.

    >>> recorded_path(FileFact(path=".snakemake/storage/s3/bucket/a.csv", storage_query="s3://bucket/a.csv"))
    's3:/bucket/a.csv'
    """
    return from_storage(fact.storage_query or "") or fact.path


def decode_job(payload: bytes) -> JobRecord:
    """Return the JobRecord in JSON whose times are text, as everywhere, or seconds since 1970, as capture writes them.

    Raises:
        msgspec.MsgspecError: The bytes are not such a record.

    >>> decode_job(b'{"id": "1", "runId": "2", "rule": "a", "status": "success", "endedOn": 1.5}').ended_on
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.timezone.utc)
    """
    return msgspec.json.decode(payload, type=JobRecord, strict=False)


class GitState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A git work tree as it was when a run began.

    Attributes:
        root: Absolute path of the work tree (text form).
        commit: Full hex id; None before the first commit.
        branch: None when HEAD is detached.
        describe: What `git describe --tags` says; None without a tag among the commit's ancestors.
        remote: The remote's URL, credentials stripped.
        dirty: Whether tracked files differ from the commit, but for results of workflows, or code ran that it does not
            hold; None when git could not be asked.
        patch_left_out: Some of the files whose difference is not kept, as they are too large or too many.
    """

    root: str
    commit: str | None = None
    branch: str | None = None
    describe: str | None = None
    remote: str | None = None
    dirty: bool | None = False
    patch_left_out: list[str] = []


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One invocation of Snakemake.

    Attributes:
        id: Minted at capture (32 hex digits).
        project: Name of the project its files are recorded under.
        project_identity: Of the project that its working directory is; None where a project was set.
        working_directory: Absolute path (text form).
        parent_run_id: The run whose job called this Snakemake.
        snakefile: Path of the main Snakefile.
        config: Snakemake's `config`, represented safely.
        config_files: The files that it was read from: those of `configfile:`, `--configfile` and `pepfile:`.
        deployment_methods: What `--software-deployment-method` switched on: conda, apptainer, env-modules.
        plugin_versions: Of Snakemake's plugins that were loaded, by distribution.
        targets: What was asked for on the command line.
        git: The work tree of the main Snakefile; None when it is not under version control.
        git_problem: Why git could not be asked, when it could not.
        missing: What could not be captured, in words.
    """

    id: str
    project: str
    working_directory: str
    project_identity: str | None = None
    status: RunStatus = "running"
    parent_run_id: str | None = None
    record_version: int = RECORD_VERSION
    command_line: str | None = None
    snakefile: str | None = None
    config: dict[str, Any] = {}
    config_files: list[str] = []
    targets: list[str] = []
    host: str | None = None
    user: str | None = None
    platform: str | None = None
    python_version: str | None = None
    snakemake_version: str | None = None
    snakeprov_version: str | None = None
    plugin_versions: dict[str, str] = {}
    executor: str | None = None
    deployment_methods: list[str] = []
    started_on: datetime | None = None
    ended_on: datetime | None = None
    git: GitState | None = None
    git_problem: str | None = None
    missing: list[str] = []


class StoredGit(GitState, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A git work tree as a store keeps it.

    Attributes:
        patch_file_handle_id: Where the difference to the commit is kept, when dirty.
    """

    patch_file_handle_id: str | None = None


class StoredRun(RunRecord, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A run as a store keeps it: its record, and what its delivery has added."""

    git: StoredGit | None = None
