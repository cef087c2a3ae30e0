"""Jobs as records: what was overheard and what was asked for is the same, and secrets are where they are looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snakeprov.capture.secrets.redactor import JOB_TEXTS
from snakeprov.model.records import JobRecord
from snakeprov.plugin.jobrecord import FACTS, TEXTS
from tests.workflows.snakemake_runs import run

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "b.txt", "c.txt"

rule numbers:
    output: "{name}.txt"
    params: bins=30, colours=["red", "blue"]
    log: "{name}.log"
    threads: 2
    priority: 3
    resources: mem_mb=100, site="here"
    shell: "echo {wildcards.name} {params.bins} > {output}"

rule reads:
    input: first="a.txt", rest=["a.txt"]
    output: whole="b.txt"
    shell: "cat {input.first} > {output.whole}"
"""

OWN = frozenset({"id", "runId", "submittedOn", "startedOn", "endedOn", "fingerprint"})
"""What differs between two runs of the same."""


def comparable(value: Any) -> Any:
    """Return a record without what differs between two runs: Snakemake lists the files of a reason in any order."""
    if isinstance(value, dict):
        kept = {name: comparable(item) for name, item in value.items() if name not in OWN}
        return kept | ({"reason": sorted(kept["reason"].replace(",", "").split())} if "reason" in kept else {})
    return [comparable(item) for item in value] if isinstance(value, list) else value


def test_what_is_overheard_is_what_would_be_asked(tmp_path: Path) -> None:
    """Records are the same whether Snakemake has said a thing or has to be asked, the highest priority included."""
    heard, asked = tmp_path / "heard", tmp_path / "asked"
    records = []
    for directory, variables in ((heard, {}), (asked, {"COLLECT_DEAF": "1"})):
        directory.mkdir()
        (directory / "Snakefile").write_text(SNAKEFILE)
        outcome = run(directory, "--prioritize", "b.txt", variables=variables)
        assert outcome.status == 0, outcome.stderr
        records.append(sorted(map(comparable, outcome.jobs), key=repr))
        numbers = outcome.job("numbers", name="c")
        assert (numbers["threads"], numbers["priority"]) == (2, 3)
        assert {"mem_mb": 100, "site": "here"}.items() <= numbers["resources"].items()
        assert numbers["params"] == {"bins": 30, "colours": ["red", "blue"]}
        assert outcome.job("reads")["priority"] > 1_000_000
        assert [fact.get("name") for fact in outcome.job("reads")["inputs"]] == ["first", "rest"]

    assert records[0] == records[1]


def test_answers_that_can_hold_a_secret_are_written_where_secrets_are_looked_for() -> None:
    """No field that the redactor looks at is among the facts, which it is not shown."""
    names = dict(zip(JobRecord.__struct_fields__, JobRecord.__struct_encode_fields__, strict=True))
    with_secrets = {names[field] for field in JOB_TEXTS}

    assert not with_secrets & {question.field for question, _ in FACTS}
    assert {question.field for question, _ in TEXTS} <= with_secrets
