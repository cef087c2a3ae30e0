"""Snakemake's logs say which outputs a failed job, or a failed group, left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from snakeprov.metadata import failures

JOB = """\
[Sun Nov 29 19:21:11 2026]
rule a:
    output: a.txt
[Sun Nov 29 19:21:21 2026]
Error in rule a:
    jobid: 0
    output: a.txt, d
    shell:
        echo half > a.txt; exit 1
        (command exited with non-zero exit code)
Shutting down, this might take some time.
    output: other.txt
"""

GROUP = """\
[Sun Nov 29 19:21:11 2026] Group job g (jobs in lexicogr. order):
    [Sun Nov 29 19:21:11 2026]
    rule b:
        output: fine.txt
[Sun Nov 29 19:21:21 2026]
    message: Error in group g
    jobs:
        rule a:
            jobid: 0
            output: a.txt, d
            log: a.log (check log file(s) for error details)
    [Sun Nov 29 19:21:21 2026]
    Error in rule b:
        jobid: 1
        output: b.txt
        shell:
            [ -e x ] || exit 1
            (command exited with non-zero exit code)
"""

OLDER_GROUP = """\
[Sun Nov 29 19:21:21 2026]
Error in group g:
    jobs:
        rule a:
            jobid: 0
            output: a.txt, d
        rule b:
            jobid: 1
            output: b.txt
"""


@pytest.mark.parametrize(
    ("log", "outputs"),
    [(JOB, {"a.txt", "d"}), (GROUP, {"a.txt", "d", "b.txt"}), (OLDER_GROUP, {"a.txt", "d", "b.txt"})],
    ids=["job", "group", "older group"],
)
def test_the_outputs_of_failed_jobs_are_found(tmp_path: Path, log: str, outputs: set[str]) -> None:
    """Those of every member of a group that failed, however far Snakemake indents them; no others."""
    folder = tmp_path / ".snakemake" / "log"
    folder.mkdir(parents=True)
    (folder / "2026-11-29T192111.snakemake.log").write_text(log)
    failed_s = time.mktime(time.strptime("2026-11-29 19:21:21", "%Y-%m-%d %H:%M:%S"))

    assert failures.read(tmp_path) == dict.fromkeys(outputs, failed_s)
