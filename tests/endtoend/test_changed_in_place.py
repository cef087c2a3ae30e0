"""Files and directories that a later job changes where they lie: what each view says of who made what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from tests.endtoend.conftest import Work
from tests.server.live import Socket

LARGE_BYTES = 30_000_000
"""More than can be digested before the next job begins."""

DIRECTORY = """import snakeprov; snakeprov.track(workflow)
rule whole:
    input: "d", "x.done"
    output: "whole.txt"
    shell: "cat d/* > {output}"
rule x:
    input: "d"
    output: touch("x.done")
    shell: "echo a line that rule x adds to the directory > d/m3; rm d/m1"
rule split:
    input: "in.txt"
    output: directory("d")
    shell: "mkdir d; cp {input} d/m1; cp {input} d/m2"
"""

LARGE = f"""import snakeprov; snakeprov.track(workflow)
rule whole:
    input: "big.bin", "x.done"
    output: "whole.txt"
    shell: "wc -c < big.bin > {{output}}"
rule x:
    input: "big.bin"
    output: touch("x.done")
    shell: "echo more >> {{input}}"
rule make:
    input: "in.txt"
    output: "big.bin"
    shell: "head -c {LARGE_BYTES} /dev/zero > {{output}}"
"""


@pytest.fixture(params=["folder", "server"])
def record(
    request: pytest.FixtureRequest, make_work: Callable[..., Work], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Work, str]]:
    """Give `record(snakefile)`: run it, recorded in a folder or on a server; return the work and the last line."""

    def run(snakefile: str) -> tuple[Work, str]:
        work = make_work(snakefile)
        work.write("in.txt", "a raw input that is long enough to be known again\n")
        variables = {}
        if request.param == "server":
            folder = work.folder.parent / "team"
            team = Socket().serve(open_database(folder, create=True), LocalBlobs(folder / "blobs"))
            token = team.user("ada").session.headers["Authorization"].split()[1]
            variables = {"SNAKEPROV_STORE": team.url, "SNAKEPROV_TOKEN": token}
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
        said = work.snakemake("whole.txt", **variables)
        return work, next(line for line in said.splitlines() if line.startswith("snakeprov: recorded"))

    return run


def test_a_directory_that_a_later_job_changed_is_said_to_have_changed_while_it_ran(
    record: Callable[[str], tuple[Work, str]],
) -> None:
    """By every view, as for a file; what the job that made it left is still that job's."""
    work, last_line = record(DIRECTORY)

    assert last_line.endswith("1 input changed while a job ran: d/ (x).")
    log = work.say("log", "d")
    assert "edited after @1, while x ran" in log
    assert "by hand" not in log
    shown = work.say("show", "d")
    assert "changed after @1 (made by rule split in run " in shown and "), while x ran" in shown
    assert "d/@2 differs from @1 because it was changed after @1, while x ran." in work.say("why", "d")
    drawn = [" ".join(line.split()) for line in work.say("lineage", "whole.txt").splitlines()]
    assert "├─ d/@2 edited after @1, while x ran" in drawn
    assert "└─ d/@1 ← split see above" in [line.removeprefix("│ ").strip() for line in drawn]
    affected = work.say("affected", "in.txt")
    assert "changed while a job ran  1 version" in affected
    assert "edited by hand" not in affected + shown + log + work.say("verify", status=0)


def test_a_large_file_that_the_next_job_changed_is_made_by_both(record: Callable[[str], tuple[Work, str]]) -> None:
    """What the first job left has no digest, and that is said, with the reason; its size is known."""
    work, last_line = record(LARGE)

    assert "1 file not recorded in full: big.bin (changed before it was digested) (run " in last_line
    assert "edited" not in last_line
    newest, first = work.ask("log", "big.bin")["versions"]
    assert [(one["rule"], one["sizeBytes"]) for one in (first, newest)] == [
        ("make", LARGE_BYTES),
        ("x", LARGE_BYTES + len("more\n")),
    ]
    assert (first["sha256"], newest["sha256"] is None) == (None, False)
    shown = work.say("show", "big.bin@1")
    assert "incomplete no digest of big.bin: changed before it was digested" in shown
    assert "unknown (identity not proved)" in shown
    drawn = [" ".join(line.split()) for line in work.say("lineage", "whole.txt").splitlines()]
    assert drawn[1:4] == ["├─ big.bin@2 ← x", "│ └─ big.bin@1 ← make identity not proved", "│ └─ in.txt@1 raw input"]
    assert "big.bin@1  identity not proved" in work.say("affected", "in.txt")
    assert "identity not proved" in work.say("log", "big.bin")
