"""`log:` and `benchmark:` files are products of their job, and are no results."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "summary.txt"

rule summary:
    input: "logs/trim.log", "benchmarks/trim.tsv"
    output: "summary.txt"
    shell: "cat logs/trim.log > {output}; wc -l < benchmarks/trim.tsv >> {output}"

rule trim:
    input: "reads.fq"
    output: trimmed="trimmed.fq", folder=directory("folder")
    log: tool="logs/trim.log", inner="folder/inner.log", large="logs/large.log"
    benchmark: "benchmarks/trim.tsv"
    shell:
        "cp {input} {output.trimmed}; mkdir -p {output.folder}; echo inner > {log.inner}; "
        "seq 100000 > {log.large}; echo {config[said]} > {log.tool}"

rule broken:
    input: "reads.fq"
    output: "never.txt"
    log: "logs/broken.log"
    benchmark: "benchmarks/broken.tsv"
    shell: "echo $$ began > {log}; echo the cause >> {log}; exit 3"

rule again:
    input: "reads.fq"
    output: "again.txt"
    log: "logs/again.log"
    retries: 1
    shell: "ls logs > {log}; [ -e logs/second ] || {{ touch logs/second; exit 1; }}; touch {output}"

rule secret:
    output: "secret.txt"
    log: "logs/secret.log"
    params: token="ghp_" + "a1B2" * 9
    shell: "echo using {params.token} > {log}; touch {output}"
"""


def files_of(work: Work, job: Any) -> dict[str, Any]:
    """The files that `run` or `show` says a job wrote beside its results, by path."""
    return {one["path"]: one for one in job["logs"]}


def test_logs_and_benchmarks_are_made_by_their_job(make_work: Callable[..., Work]) -> None:
    """Lineage goes through them in both directions, and a log that differs is no changed result."""
    work = make_work(SNAKEFILE, **{"config.yaml": "said: one\n", "reads.fq": "r\n"})

    said = work.snakemake("--configfile", "config.yaml")
    assert "recorded 3 jobs: 3 new versions" in said, "logs are no results"

    job = work.ask("show", "trimmed.fq")["job"]
    assert set(files_of(work, job)) == {"logs/trim.log", "folder/inner.log", "logs/large.log", "benchmarks/trim.tsv"}
    assert [one["path"] for one in job["outputs"]] == ["trimmed.fq", "folder/"]
    assert "reads.fq" in work.say("lineage", "summary.txt")
    assert "summary.txt" in work.say("affected", "reads.fq")
    assert work.ask("show", "logs/trim.log")["job"]["rule"] == "trim"
    assert work.ask("show", "logs/trim.log")["version"]["bytesKept"] is True
    assert work.ask("show", "logs/large.log")["version"]["bytesKept"] is False
    shown = work.say("show", "trimmed.fq")
    assert "logs/trim.log@1" in shown.partition("\nlogs\n")[2].partition("\n\n")[0]

    said = work.snakemake("--configfile", "config.yaml", "--config", "said=two", "-R", "trim", "--until", "trim")
    assert "recorded 1 job: 0 new versions, 2 reproduced" in said
    assert [one["versionNumber"] for one in work.ask("log", "logs/trim.log")["versions"]] == [2, 1]
    assert [one["versionNumber"] for one in work.ask("log", "trimmed.fq")["versions"]] == [1]


def test_logs_are_told_apart_from_results(make_work: Callable[..., Work]) -> None:
    """`affected` marks them, and `verify` misses results that are gone but no logs and benchmarks."""
    work = make_work(SNAKEFILE, **{"config.yaml": "said: one\n", "reads.fq": "r\n"})
    work.snakemake("--configfile", "config.yaml")

    said = work.say("affected", "reads.fq").splitlines()
    assert said[0] == "7 versions of 7 files came from reads.fq@1 (4 logs or benchmarks); 7 of them are on disk now."
    marked = {line.split("@")[0].strip(): line.split("@1")[1].split() for line in said if "@1  " in line}
    assert marked["logs/large.log"] == ["log,", "on", "disk"]
    assert marked["benchmarks/trim.tsv"] == ["benchmark,", "on", "disk"]
    assert marked["trimmed.fq"] == marked["summary.txt"] == ["on", "disk"]

    for path in ("logs/large.log", "benchmarks/trim.tsv"):
        Path(work.folder, path).unlink()
    assert work.say("verify") == "All 9 files are what was recorded (2 logs or benchmarks gone).\n"
    assert work.say("verify", "logs/large.log") == "Nothing is wrong (1 log or benchmark gone).\n"
    assert work.ask("verify")["counts"]["logGone"] == 2
    Path(work.folder, "trimmed.fq").unlink()
    work.say("verify", status=4)


def test_the_log_of_a_job_that_failed_is_kept(make_work: Callable[..., Work]) -> None:
    """Also that of an attempt that was repeated; not one with a secret in it."""
    work = make_work(SNAKEFILE, **{"reads.fq": "r\n"})
    os.utime(work.write("benchmarks/broken.tsv", "of an earlier run\n"), (1, 1))
    work.snakemake("never.txt", status=1)

    (version,) = work.ask("log", "logs/broken.log")["versions"]
    assert (version["rule"], version["bytesKept"]) == ("broken", True)
    assert work.ask("show", "logs/broken.log")["job"]["status"] == "failed"
    kept = Path(work.folder, "kept.log")
    work.say("restore", "logs/broken.log", "-o", str(kept))
    assert kept.read_text().endswith("began\nthe cause\n")
    assert work.say("show", "never.txt@1", status=3)
    assert work.say("show", "benchmarks/broken.tsv", status=3), "it is older than the job"

    work.snakemake("again.txt", "secret.txt")
    assert [one["rule"] for one in work.ask("log", "logs/again.log")["versions"]][:1] == ["again"]
    assert work.ask("show", "logs/secret.log")["version"]["bytesKept"] is False
