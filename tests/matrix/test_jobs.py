"""Groups, local rules, resources, benchmarks and logs."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Place, Run, facts, version

SNAKEFILE = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

localrules: all, here

rule all:
    input: "joined.txt", "here.txt", "alone.txt"

rule part:
    input: "data/a.txt"
    output: "part_{{name}}.txt"
    group: "parts"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule join:
    input: "part_p.txt", "part_q.txt"
    output: "joined.txt"
    group: "parts"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule here:
    input: "data/a.txt"
    output: "here.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule alone:
    input: "data/a.txt"
    output: "alone.txt"
    threads: 7
    resources: mem_mb=lambda wildcards, input, attempt: 10 * attempt, disk="1 GB", label="a word"
    log: "logs/alone.log"
    benchmark: "benchmarks/alone.tsv"
    shell: SEEN + "sleep 0.1; cat {{input}} > {{output}}; echo a line > {{log}}" + MADE

rule repeated:
    output: "repeated.txt"
    benchmark: repeat("benchmarks/repeated.tsv", 3)
    shell: "echo repeated > {{output}}" + MADE

rule lines:
    output: "lines.txt"
    benchmark: "benchmarks/lines.jsonl"
    shell: "sleep 0.1; echo lines > {{output}}" + MADE

rule wordy:
    output: "wordy.txt"
    log: "logs/wordy.log", second="logs/second.log"
    resources: mem_mb=lambda wildcards, attempt: 10 * attempt
    retries: 1
    shell: "seq 10000 > {{log[0]}}; echo last >> {{log[0]}}; echo second > {{log.second}}; exit 3"
"""

SUBMIT = '#!/bin/sh\nsh "$1" > "$1.out" 2>&1 && echo finished-$$ || exit 1\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("jobs"), SNAKEFILE, {"data/a.txt": "a\n", "submit.sh": SUBMIT})
    (made.folder / "submit.sh").chmod(0o755)
    return made


@pytest.fixture(scope="module")
def cluster(place: Place) -> Run:
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    arguments = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh", "--jobs", "2"]
    return place.run(*arguments, "--seconds-between-status-checks", "1")


@pytest.fixture(scope="module")
def local(place: Place) -> Run:
    return place.run("repeated.txt", "lines.txt", "wordy.txt", "--keep-going")


@row("jobs: groups", "jobs: localrules")
def test_groups_and_local_rules(cluster: Run) -> None:
    """Members of a group are recorded once each and share its id and number; a local rule has neither."""
    cluster.agrees()
    assert cluster.counts() == Counter(part=2, join=1, here=1, alone=1, all=1)
    members = [one.job for one in cluster.jobs if one.job.rule in ("part", "join")]
    assert len({one.group for one in members}) == 1
    assert len({one.external_job_id for one in members}) == 1
    used = [version(cluster.job("join"), "input", f"part_{name}.txt") for name in "pq"]
    made = [version(cluster.job("part", name=name), "output", f"part_{name}.txt") for name in "pq"]
    sides = [[(one.entity_id, one.version_number, one.sha256) for one in side] for side in (used, made)]
    assert sides[0] == sides[1]
    alone, here = cluster.job("alone").job, cluster.job("here").job
    assert str(alone.external_job_id).startswith("finished-")
    assert (alone.group, here.group, here.external_job_id) == (None, None, None)
    assert cluster.record.executor == "cluster-generic"


@row("jobs: resources", "jobs: benchmark")
def test_resources_and_benchmarks(place: Place, cluster: Run, local: Run) -> None:
    """Resources are those of the attempt; a benchmark's numbers are those in its file, for each repetition."""
    job = cluster.job("alone").job
    assert job.threads == 2, "of the 7 asked for"
    assert job.resources["mem_mb"] == 10
    assert job.resources["label"] == "a word"
    assert job.resources["disk_mb"] == 1000
    names, values = (line.split("\t") for line in place.read("benchmarks/alone.tsv").splitlines())
    (measured,) = job.benchmark
    assert measured["s"] == float(values[names.index("s")]) > 0
    assert set(measured) <= set(names)
    repeated = local.job("repeated").job.benchmark
    lines = place.read("benchmarks/repeated.tsv").splitlines()[1:]
    assert [one["s"] for one in repeated] == [float(line.split("\t")[0]) for line in lines]
    assert len(repeated) == 3
    assert local.job("lines").job.benchmark[0]["s"] > 0
    assert [one.job.resources["mem_mb"] for one in local.all("wordy")] == [10, 20]


@row("jobs: log")
def test_logs(place: Place, cluster: Run, local: Run) -> None:
    """A log is named; of a job that failed its end is kept, as it is in the file."""
    assert [log.path for log in cluster.job("alone").job.logs] == ["logs/alone.log"]
    assert cluster.job("alone").job.log_excerpt is None
    assert local.status == 1
    local.counts_agree()
    retried, failed = (one.job for one in local.all("wordy"))
    assert (retried.status, failed.status) == ("retried", "failed")
    assert [log.path for log in failed.logs] == ["logs/wordy.log", "logs/second.log"]
    whole = place.read("logs/wordy.log") + "\n" + place.read("logs/second.log")
    for job in (retried, failed):
        assert whole.endswith(job.log_excerpt)
        assert "last\n" in job.log_excerpt
        assert 1000 < len(job.log_excerpt) < 10_000
    assert not facts(local.job("repeated"), "input")
