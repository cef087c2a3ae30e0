"""How a rule says what its jobs do."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections import Counter

import pytest

from tests.matrix import accounts
from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Job, Place, Run

SNAKEFILE = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

rule all:
    input:
        "shell.txt", "python.txt", "bash.txt", "run.txt", "jinja2.txt", "yte.yaml",

rule shell:
    input: "data/a.txt"
    output: "shell.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule python:
    input: "data/a.txt"
    output: "python.txt"
    params: times=2
    script: "scripts/repeat.py"

rule bash:
    input: "data/a.txt"
    output: "bash.txt"
    script: "scripts/copy.sh"

rule run:
    input: "data/a.txt"
    output: "run.txt"
    run:
        with open(output[0], "w") as file:
            file.write(open(input[0]).read() + "run\\n")

rule wrapper:
    input: "data/a.txt"
    output: "wrapper.txt"
    wrapper: "file:wrappers/upper"

rule jinja2:
    input: "templates/hello.txt"
    output: "jinja2.txt"
    params: name="world"
    template_engine: "jinja2"

rule yte:
    input: "templates/values.yaml"
    output: "yte.yaml"
    params: name="world"
    template_engine: "yte"

rule no_output:
    input: "data/a.txt"
    shell: SEEN + "cat {{input}} > /dev/null; echo ran >> no_output.marks"

rule r:
    input: "data/a.txt"
    output: "r.txt"
    script: "scripts/copy.R"

rule notebook:
    input: "data/a.txt"
    output: "notebook.txt"
    notebook: "notebooks/copy.py.ipynb"

rule cwl:
    input: source="data/a.txt"
    output: copied="cwl.txt"
    cwl: "tools/copy.cwl"
"""

CELL = {
    "cell_type": "code",
    "execution_count": None,
    "id": "copy",
    "metadata": {},
    "outputs": [],
    "source": ["open(snakemake.output[0], 'w').write(open(snakemake.input[0]).read())"],
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

FILES = {
    "data/a.txt": "a\n",
    "scripts/repeat.py": "text = open(snakemake.input[0]).read() * snakemake.params.times\n"
    "open(snakemake.output[0], 'w').write(text)\n",
    "scripts/copy.sh": 'cat "${snakemake_input[0]}" > "${snakemake_output[0]}"\n',
    "scripts/copy.R": "file.copy(snakemake@input[[1]], snakemake@output[[1]])\n",
    "wrappers/upper/wrapper.py": "open(snakemake.output[0], 'w').write(open(snakemake.input[0]).read().upper())\n",
    "wrappers/upper/environment.yaml": "channels: [conda-forge]\ndependencies: [python]\n",
    "templates/hello.txt": "Hello {{ params.name }}\n",
    "templates/values.yaml": "name: ?params.name\n",
    "notebooks/copy.py.ipynb": json.dumps({"cells": [CELL], "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}),
    "tools/copy.cwl": """cwlVersion: v1.0
class: CommandLineTool
baseCommand: cat
inputs:
  source: {type: File, inputBinding: {position: 1}}
  copied: {type: string}
outputs:
  copy: {type: File, outputBinding: {glob: $(inputs.copied)}}
stdout: $(inputs.copied)
""",
}

has_jupyter = all(importlib.util.find_spec(name) for name in ("nbconvert", "ipykernel"))
needs_jupyter = pytest.mark.skipif(not has_jupyter, reason="nbconvert and ipykernel are not installed")
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
needs_cwl = pytest.mark.skipif(shutil.which("cwltool") is None, reason="cwltool is not installed")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("kinds"), SNAKEFILE, FILES)


@pytest.fixture(scope="module")
def run(place: Place) -> Run:
    return place.run("all", "no_output")


def executed(job: Job) -> dict[str, str]:
    """Return digest by path of what a job executed."""
    return {file.path: file.sha256 for file in job.files if file.outcome == "executed"}


def on_disk(place: Place, *paths: str) -> dict[str, str]:
    """Return digest by path of files as they are."""
    return {path: accounts.sha256(place.folder / path) for path in paths}


def check_kind(place: Place, run: Run, rule: str, kind: str, *code: str, source: str = "data/a.txt") -> Job:
    """Assert that a rule's only job is of a kind, read `source`, and executed the Snakefile and `code`."""
    job = run.job(rule)
    assert (job.job.kind, job.job.status) == (kind, "success")
    assert {file.path: file.sha256 for file in job.files if file.role == "input"} == on_disk(place, source)
    assert executed(job) == on_disk(place, "Snakefile", *code)
    lines = place.read("Snakefile").splitlines()
    assert lines[job.job.code[0].line - 1] == f"rule {rule}:"
    return job


@row("kinds: shell")
def test_shell(place: Place, run: Run) -> None:
    """A shell job has the command as it ran, and what it says itself that it read and wrote."""
    run.agrees()
    assert run.counts() == Counter(["all", "shell", "python", "bash", "run", "jinja2", "yte", "no_output"])
    job = check_kind(place, run, "shell", "shell")
    assert "cat data/a.txt > shell.txt" in job.job.shellcmd
    assert len(run.reads) == 3


@row("kinds: script, Python")
def test_python_script(place: Place, run: Run) -> None:
    """A script is executed code, and the store has its bytes."""
    check_kind(place, run, "python", "script", "scripts/repeat.py")
    assert place.read("python.txt") == "a\na\n"
    assert place.kept("scripts/repeat.py").decode() == FILES["scripts/repeat.py"]


@row("kinds: script, bash", "kinds: run")
def test_bash_script_and_run(place: Place, run: Run) -> None:
    """A bash script is executed; of `run:` the Snakefile is the code."""
    check_kind(place, run, "bash", "script", "scripts/copy.sh")
    check_kind(place, run, "run", "run")


@row("kinds: wrapper")
def test_wrapper(place: Place, run: Run) -> None:
    """A wrapper is executed; the environment that it brings along counts only with conda switched on."""
    ran = place.run("wrapper.txt")
    if "Is conda installed" in ran.stderr:
        pytest.skip("this Snakemake runs no wrapper without conda, which is not installed")
    ran.agrees()
    job = check_kind(place, ran, "wrapper", "wrapper", "wrappers/upper/wrapper.py")
    assert place.read("wrapper.txt") == "A\n"
    assert not [file for file in job.files if file.role == "environment"]
    assert job.job.declared_environments == {"conda": "wrappers/upper/environment.yaml"}


@row("kinds: template_engine, jinja2", "kinds: template_engine, yte")
@pytest.mark.parametrize(("engine", "template"), [("jinja2", "hello.txt"), ("yte", "values.yaml")])
def test_templates(place: Place, run: Run, engine: str, template: str) -> None:
    """A template is read and executed."""
    check_kind(place, run, engine, "template", f"templates/{template}", source=f"templates/{template}")
    assert run.job(engine).job.params == {"name": "world"}


@row("kinds: no output", "kinds: rule all")
def test_jobs_without_outputs(place: Place, run: Run) -> None:
    """A job without outputs is an Activity that used its inputs; a job that does nothing has no Activity."""
    assert place.read("no_output.marks") == "ran\n"
    job = run.job("no_output")
    assert {file.outcome for file in job.files} == {"used", "executed"}
    assert job.activity_id
    everything = run.job("all")
    assert everything.activity_id is None
    assert {file.path for file in everything.files if file.role == "input"} == {
        "shell.txt", "python.txt", "bash.txt", "run.txt", "jinja2.txt", "yte.yaml"
    }  # fmt: skip


@needs_jupyter
@row("kinds: notebook")
def test_notebook(place: Place, run: Run) -> None:
    """A notebook is executed."""
    ran = place.run("notebook")
    ran.agrees()
    check_kind(place, ran, "notebook", "notebook", "notebooks/copy.py.ipynb")


@needs_r
@row("kinds: script, R")
def test_r_script(place: Place, run: Run) -> None:
    """An R script is executed."""
    ran = place.run("r")
    ran.agrees()
    check_kind(place, ran, "r", "script", "scripts/copy.R")


@needs_cwl
@row("kinds: cwl")
def test_cwl(place: Place, run: Run) -> None:
    """The description of a CWL tool is executed."""
    # Snakemake gives `file:/path`, which newer versions of cwltool do not take.
    script = f"#!/bin/sh\nexec {shutil.which('cwltool')} $(echo \"$@\" | sed 's|file:/|file:///|')\n"
    place.write("bin/cwltool", script).chmod(0o755)
    ran = place.run("cwl", PATH=f"{place.folder / 'bin'}:{os.environ['PATH']}")
    ran.agrees()
    check_kind(place, ran, "cwl", "cwl", "tools/copy.cwl")
