"""Why a job failed is told where somebody would ask: of its output, of the run, and of the job."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule fit:
    input: "{name}.in"
    output: "fits/{name}.txt"
    log: "logs/{name}.log"
    params: degree=3
    shell:
        "echo reading {input} > {log}; grep -q good {input} || {{ echo no good line >> {log}; exit 4; }}; "
        "cp {input} {output}"
"""


def told(text: str) -> str:
    """What was said, without what differs from run to run."""
    return re.sub(r"just now|\d+ \w+ ago", "<ago>", re.sub(r"\b[0-9a-f]{8}\b", "<id>", text))


def test_a_job_that_failed_is_shown_for_the_file_that_it_did_not_make(make_work: Callable[..., Work]) -> None:
    """With error, end of the log and command; for the run it is named, and as JSON it has all."""
    work = make_work(SNAKEFILE, **{"a.in": "bad\n"})
    work.snakemake("fits/a.txt", status=1)

    shown = work.say("show", "fits/a.txt")
    lines = told(shown).splitlines()
    assert lines[:2] == ["fits/a.txt was never made: its job did not succeed", "job <id> of rule fit  name=a"]
    assert "non-zero exit status 4" in shown.partition("\nerror\n")[2].partition("\n\n")[0]
    assert "  no good line" in shown.partition("\nlog\n")[2].partition("\n\n")[0]
    assert "grep -q good a.in" in shown.partition("\nshell command\n")[2]
    assert "a.in@1" in shown
    assert "logs/a.log@1" in shown

    (asked,) = re.findall(r"snakeprov show (job:\w+)", work.say("run", "last"))
    assert told(work.say("show", asked)) == told(shown).partition("\n")[2]
    answer = work.ask("show", asked)
    assert (answer["entity"], answer["version"]) == (None, None)
    assert (answer["job"]["status"], answer["job"]["exitCode"]) == ("failed", 4)
    assert answer["job"]["logExcerpt"].endswith("no good line\n")
    assert work.ask("find", "unmade=fits/a.txt")["results"][0]["rule"] == "fit"

    assert "names a job; a file was expected here." in work.say("lineage", asked, status=2)
    assert "No job whose id begins with '00000000' is recorded." in work.say("show", "job:00000000", status=3)
    assert "fits/b.txt is not recorded" in work.say("show", "fits/b.txt", status=3)


def test_a_later_failure_is_told_with_the_version_that_is_there(make_work: Callable[..., Work]) -> None:
    """Until a job succeeds; not with an older version that is named."""
    work = make_work(SNAKEFILE, **{"a.in": "good\n"})
    work.snakemake("fits/a.txt")
    assert "A later job" not in work.say("show", "fits/a.txt")

    work.write("a.in", "bad\n")
    work.snakemake("fits/a.txt", status=1)
    (asked,) = re.findall(r"A later job of fit failed .*: snakeprov show (job:\w+)", work.say("show", "fits/a.txt"))
    assert work.ask("show", asked)["job"]["status"] == "failed"
    assert "A later job" not in work.say("show", "fits/a.txt@1")

    work.write("a.in", "good again\n")
    work.snakemake("fits/a.txt")
    assert "A later job" not in work.say("show", "fits/a.txt")
