"""`strict`: the exit status says whether everything was recorded, and never hides that of a failed job."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from socket import socket

import pytest

from tests.endtoend.conftest import Work

SNAKEFILE = """
rule all:
    input: "a.txt"

rule one:
    output: "a.txt"
    shell: "echo a > {output}"

rule bad:
    output: "bad.txt"
    shell: "exit 3"
"""


@pytest.fixture
def nobody() -> str:
    """The address of a server that is down."""
    with closing(socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """A workflow that says nothing of snakeprov."""
    return make_work(SNAKEFILE)


def logger(*options: str) -> list[str]:
    return ["--logger", "snakeprov", *(f"--logger-snakeprov-{one}" for one in options)]


def test_a_repository_out_of_reach_fails_a_strict_run_whose_jobs_all_ran(work: Work, nobody: str) -> None:
    """The records wait, `status` counts them, and a push into a store that is there delivers them."""
    said = work.snakemake(*logger("strict", f"store={nobody}"), "--", "all", status=1)
    complaint = work.say("status", "--store", nobody, status=41)

    assert (work.folder / "a.txt").exists()
    assert "All jobs succeeded, but not everything could be recorded" in said
    assert "2 job records could not be delivered and wait; later: snakeprov push." in said
    assert "cannot be reached" in complaint
    assert work.ask("push", "--store", ".snakeprov")["delivered"] == 2
    assert work.ask("status", "--store", ".snakeprov")["pending"] == 0


def test_the_failure_of_a_job_stays_the_reason_of_a_strict_run(work: Work, nobody: str) -> None:
    """Snakemake's own words and status are those of a run that nobody records."""
    said = work.snakemake(*logger("strict", f"store={nobody}"), "--", "bad.txt", status=1)

    assert "At least one job did not complete successfully." in said
    assert "All jobs succeeded" not in said


def test_strict_in_a_settings_file_holds_though_another_setting_there_is_misspelt(work: Work) -> None:
    """Nothing could be recorded, so the run ends before its first job."""
    work.write("snakeprov.toml", 'strict = true\nprojct = "x"\n')
    said = work.snakemake(*logger(), "--", "all", status=1)

    assert "Did you mean 'project'?" in said
    assert not (work.folder / "a.txt").exists()


def test_a_strict_run_of_which_everything_is_recorded_succeeds(work: Work) -> None:
    """Strictness costs nothing."""
    said = work.snakemake(*logger("strict"), "--", "all")

    assert "snakeprov: recorded 2 jobs: 1 new version" in said


def test_a_strict_run_names_what_it_fails_for(make_work: Callable[..., Work]) -> None:
    """A large file that the next job changed at once has no digest any more, and that is said with its name."""
    work = make_work(
        "rule change:\n    input: 'big.bin'\n    output: touch('done')\n    shell: 'echo more >> {input}'\n"
        "rule make:\n    output: 'big.bin'\n    shell: 'head -c 200000 /dev/zero > {output}'\n"
    )
    said = work.snakemake(*logger("strict"), "--", "done", status=1)

    missed = "1 file not recorded in full: big.bin (changed before it was digested)"
    assert f"{missed} (run" in said
    assert f"All jobs succeeded, but not everything could be recorded: {missed}." in said
