"""What a run says of the jobs that it did not need, where somebody changed their outputs before it."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import Work

SNAKEFILE = """import snakeprov; snakeprov.track(workflow)
rule c:
    input: "b.txt"
    output: "c.txt"
    shell: "cat {input} > {output}"
rule b:
    input: "a.txt"
    output: "b.txt"
    shell: "cat {input} > {output}; echo a line that only this rule adds to its output >> {output}"
rule a:
    output: "a.txt"
    shell: "echo a line that is long enough to be known again > {output}"
"""


INSIDE = """import snakeprov; snakeprov.track(workflow)
rule one:
    input: "d/m", "up.txt"
    output: "one.txt"
    shell: "cat d/m > {output}"
rule up:
    input: "d"
    output: "up.txt"
    shell: "cat d/m > {output}"
rule split:
    output: directory("d")
    shell: "mkdir d; echo a line that is long enough to be known again > d/m"
"""


def not_run(work: Work) -> dict[str, str]:
    """Return the state of each rule whose job the last run did not run."""
    return {one["rule"]: one["state"] for one in work.ask("run")["plan"] if one["state"] != "executed"}


def test_what_the_run_itself_found_edited_or_put_back_is_said_of_its_jobs(make_work: Callable[..., Work]) -> None:
    """An edit that this run was the first to see is no reuse, and an output that was put back is one."""
    work = make_work(SNAKEFILE)
    work.snakemake()
    with (work.folder / "b.txt").open("a", encoding="utf-8") as stream:
        stream.write("a line by hand\n")
    work.snakemake()
    assert not_run(work) == {"b": "edited", "a": "reused"}
    work.say("restore", "b.txt@1")
    work.snakemake()
    assert not_run(work) == {"b": "reused", "a": "reused"}


def test_a_file_edited_inside_a_directory_stays_edited_in_later_runs(make_work: Callable[..., Work]) -> None:
    """Until the directory is made again, with the same bytes too."""
    work = make_work(INSIDE)
    work.snakemake("up.txt")
    with (work.folder / "d" / "m").open("a", encoding="utf-8") as stream:
        stream.write("a line by hand\n")
    for _ in range(2):
        work.snakemake("one.txt")
        assert not_run(work) == {"up": "reused", "split": "edited"}
        (work.folder / "one.txt").unlink()
    work.snakemake("one.txt", "--forcerun", "split")
    (work.folder / "one.txt").unlink()
    work.snakemake("one.txt")
    assert not_run(work) == {"up": "reused", "split": "reused"}
