"""What `affected` and `find` say about a workflow that really ran, twice, and failed once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "results/table.txt", "results/note.txt"

rule clean:
    input: "data/{sample}.txt"
    output: "results/clean/{sample}.txt"
    params: least=config.get("least", 1)
    shell: "sort {input} | tail -n +{params.least} > {output}"

rule merge:
    input: "results/clean/a.txt", "results/clean/b.txt"
    output: "results/table.txt"
    script: "merge.py"

rule note:
    output: "results/note.txt"
    shell: "echo note > {output}"

rule broken:
    input: "data/a.txt"
    output: "results/broken.txt"
    shell: "false"
"""
MERGE = "open(snakemake.output[0], 'w').writelines(line for path in snakemake.input for line in open(path))"

_VOLATILE = (
    (re.compile(r"just now|\d+ (?:second|minute)s? ago"), "<ago>"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "<id>"),
    (re.compile(r"(?<=\S) {2,}"), "  "),
)


def settled(text: str) -> str:
    """Return what was printed without what differs from run to run."""
    for pattern, placeholder in _VOLATILE:
        text = pattern.sub(placeholder, text)
    return text


def test_what_is_said_of_a_workflow(make_work: Callable[..., Work], golden: Callable[[str, str], None]) -> None:
    """A changed param leaves the old versions as past ones; what came from an input, a script, a run is all told."""
    work = make_work(SNAKEFILE, **{"data__a.txt": "1\n2\n", "data__b.txt": "3\n4\n", "merge.py": MERGE})
    work.snakemake()
    work.snakemake("--config", "least=2")
    work.snakemake("results/broken.txt", status=1)
    shutil.copy(work.folder / "results/table.txt", work.folder / "renamed.txt")
    questions = [
        ("affected", "data/a.txt"),
        ("affected", "merge.py"),
        ("affected", "--rule", "note"),
        ("affected", "results/table.txt"),
        ("find", "sample=a"),
        ("find", "least=2", "sample=b"),
        ("find", "config.least=2", "rule=merge"),
        ("find", "status=failed"),
        ("find", "--file", "renamed.txt"),
    ]
    said = "".join(f"$ snakeprov {' '.join(question)}\n{work.say(*question)}\n" for question in questions)
    golden("affected-and-find.txt", settled(said))
