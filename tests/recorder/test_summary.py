"""The one line that ends a workflow."""

from __future__ import annotations

import pytest

from snakeprov.recorder.summary import Summary, Tally

RUN = "8a1d1bc9" * 4


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally(jobs=14, versions=13), "recorded 14 jobs: 13 new versions"),
        (Tally(jobs=26, failed=1, versions=25), "recorded 26 jobs (1 failed): 25 new versions"),
        (Tally(jobs=1, adopted=1), "recorded 1 job: 0 new versions, 1 earlier version traced to a job"),
        (
            Tally(jobs=3, versions=1, reproduced=2, adopted=2),
            "recorded 3 jobs: 1 new version, 2 reproduced, 2 earlier versions traced to a job",
        ),
    ],
)
def test_the_last_line_counts_what_was_recorded(tally: Tally, said: str) -> None:
    """Failed jobs, new and reproduced versions, and versions of which the origin is known only now."""
    assert Summary(run_id=RUN, tally=tally).line() == f"snakeprov: {said} (run 8a1d1bc9; see: snakeprov log)."


def test_the_last_line_names_inputs_that_were_edited_by_hand() -> None:
    """The first of them, and how many more."""
    tally = Tally(jobs=1, versions=1)
    for number in range(5):
        tally.edit(f"data/{number}.csv", None)
    line = Summary(run_id=RUN, tally=tally).line()
    assert line.endswith(
        " 5 inputs edited by hand since their jobs wrote them: data/0.csv, data/1.csv, data/2.csv and 2 more."
    )


def test_what_another_process_counted_is_not_claimed() -> None:
    """Where a second process had to deliver, only the number of jobs is certain."""
    tally = Tally(jobs=3, failed=1, versions=2, adopted=1)
    assert "recorded 3 jobs (run" in Summary(run_id=RUN, tally=tally, restart="killed by SIGKILL").line()
