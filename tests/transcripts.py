"""Transcripts: the commands and outputs that documents show, run for real and compared.

A transcript is the blocks of a Markdown page that are marked `console`. Each `$` begins a command; the lines below are
its output. A line `…` stands for lines that are left out. A block with a caption is a file, which is written where it
stands in the page:

    ```{code-block} python
    :caption: Snakefile

    rule all: ...
    ```

The values that differ from run to run are compared as `normalised` says. `--update-golden` writes the outputs anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

RUN_TIMEOUT_S = 300

CUT = "…"

_VOLATILE = (
    (re.compile(r"just now|\d+ (?:second|minute|hour)s? ago"), "<ago>"),
    (re.compile(r"\b(?:\d+ min \d+ s|\d+(?:\.\d+)? s)\b"), "<duration>"),
    (re.compile(r"\b\d+(?:\.\d+)? [kM]?B\b"), "<size>"),
    (re.compile(r"(?<=\bPython )\d+(?:\.\d+)+|(?<=\bSnakemake )\d+(?:\.\d+)+"), "<release>"),
)
_NAME = re.compile(r"\b(?:[0-9a-f]{7}|[0-9a-f]{8}|[0-9a-f]{40}|[0-9a-f]{64}|syn\d+)\b")
"""Commits, run ids, digests, entity ids."""

_GAP = re.compile(r"(?<=\S) {2,}")


@dataclass
class Step:
    """A command of a page, where its output begins and ends there (line numbers), and what it really prints."""

    command: str
    begin: int
    end: int
    printed: list[str] = field(default_factory=list)

    def shown(self, page: list[str]) -> list[str]:
        """Return the output as the page has it."""
        return page[self.begin : self.end]


@dataclass
class Written:
    """A file that a page shows, to be written before the commands below it."""

    path: str
    text: str


def blocks(page: list[str], language: str) -> Iterator[range]:
    """Yield the line numbers inside each block that is marked with `language`."""
    begin = None
    for number, line in enumerate(page):
        if begin is not None and line == "```":
            yield range(begin, number)
            begin = None
        elif line == f"```{language}":
            begin = number + 1


def steps(page: list[str], *, first: str = "") -> list[Step]:
    """Return the commands of a page, in order.

    Args:
        page: The lines of the page.
        first: The command whose output stands above the first `$`.
    """
    found: list[Step] = []
    for block in blocks(page, "console"):
        for number in block:
            if page[number].startswith("$ "):
                found.append(Step(page[number][2:], number + 1, number + 1))
                continue
            if not found:
                found.append(Step(first, number, number))
            found[-1].end = number + 1
    return found


def files(page: list[str]) -> Iterator[tuple[int, Written]]:
    """Yield the files that a page shows, each with the number of its first line."""
    for number, line in enumerate(page):
        if line.startswith("```{code-block}") and page[number + 1].startswith(":caption: "):
            end = page.index("```", number)
            text = "\n".join(page[number + 3 : end]) + "\n"
            yield number, Written(page[number + 1].removeprefix(":caption: ").strip("`"), text)


def environment(home: Path) -> dict[str, str]:
    """Return the environment in which commands run: this one's programs, no settings of the user, and git as Ada."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
    gitconfig = home / "gitconfig"
    gitconfig.write_text("[user]\n  name = Ada\n  email = ada@example.org\n[init]\n  defaultBranch = main\n")
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "XDG_CONFIG_HOME": str(home / "no-config"),
        "GIT_CONFIG_GLOBAL": str(gitconfig),
        "LOGNAME": "ada",
    }


def run(command: str, *, work: Path, environment: dict[str, str]) -> list[str]:
    """Run a command in the folder `work`; return the lines that it prints. It must succeed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout.splitlines()


def perform(page: list[str], *, work: Path, environment: dict[str, str], first: str = "") -> list[Step]:
    """Write the files and run the commands of a page in the folder `work`, in order; return the commands.

    `cd FOLDER` as a command of its own changes the folder for those below.
    """
    found = steps(page, first=first)
    shown = dict(files(page))
    for step in found:
        for number in [number for number in shown if number < step.begin]:
            written = shown.pop(number)
            path = work / written.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written.text, encoding="utf-8")
        command = step.command.rpartition("cd example_workflow && ")[2]  # what comes before it was done already
        if command.startswith("cd "):
            work = work / command.removeprefix("cd ")
        else:
            step.printed = run(command, work=work, environment=environment)
    return found


def compare(path: Path, performed: list[Step], *, update: bool) -> None:
    """Assert that a page shows what its commands printed; with `update`, write it there instead."""
    page = path.read_text(encoding="utf-8").splitlines()
    excerpts = [excerpt(step.shown(page), step.printed) for step in performed]
    here: dict[str, str] = {}
    there: dict[str, str] = {}
    expected, got = [], []
    for step, printed in zip(performed, excerpts, strict=True):
        is_tree = "lineage" in step.command
        expected += [f"$ {step.command}", *normalised(step.shown(page), is_tree=is_tree, names=there)]
        got += [f"$ {step.command}", *normalised(printed, is_tree=is_tree, names=here)]
    if expected != got and update:
        for step, printed in reversed(list(zip(performed, excerpts, strict=True))):
            page[step.begin : step.end] = printed
        path.write_text("\n".join(page) + "\n", encoding="utf-8")
        return

    assert expected == got, f"the transcript of {path.name} differs: see --update-golden"


def normalised(lines: list[str], *, is_tree: bool = False, names: dict[str, str] | None = None) -> list[str]:
    """Return lines without what differs from run to run.

    Ages, durations, sizes, and the releases of Python and Snakemake become `<ago>`, `<duration>`, `<size>`,
    `<release>`. Commits, digests and ids are numbered in the order in which they appear, so equal ones stay equal and
    different ones different. As columns are as wide as what is in them, two blanks or more count as two; but for a
    tree, in which nothing of varying width occurs.

    Args:
        lines: What was printed.
        is_tree: Whether every blank counts.
        names: The numbers given so far; added to.
    """
    names = {} if names is None else names
    result = []
    for line in lines:
        for pattern, placeholder in _VOLATILE:
            line = pattern.sub(placeholder, line)
        line = _NAME.sub(lambda found: names.setdefault(found[0], f"<{len(names) + 1}>"), line)
        result.append(line if is_tree else _GAP.sub("  ", line))
    return result


def excerpt(shown: list[str], printed: list[str]) -> list[str]:
    """Return the part of `printed` that corresponds to `shown`, whose lines `…` are kept.

    A part after a `…` begins where its first line is printed, or, if it is the last, as far from the end.
    """
    if CUT not in shown:
        return printed
    plain = [normalised([line])[0] for line in printed]
    result: list[str] = []
    at = 0
    for number, line in enumerate(shown):
        if line == CUT:
            result.append(CUT)
            rest = shown[number + 1 :]
            if rest and CUT not in rest:
                at = len(printed) - len(rest)
            elif rest:
                first = normalised(rest[:1])[0]
                assert first in plain[at:], f"{rest[0]!r} is not printed any more: choose other lines for the page"
                at = plain.index(first, at)
        else:
            result += printed[at : at + 1]
            at += 1
    return result
