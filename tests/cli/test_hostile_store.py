"""Every question, asked of a store that holds the worst.

Hostile names, a megabyte of text, a file rewritten in place, failed and interrupted jobs, and no bytes any more.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import Study

Run = Callable[..., Any]

MARKUP = "<img src=x onerror=alert(1)>.csv"
CONTROLS = "a\x1b[2J\x1b]0;evil\x07\u202e.csv"
SYNTAX = 'b"]; end %% --> {{x}}|\\n\n`#.csv'
LOG = "progress.txt"
LONG = "x\x1b" * 500_000

ANSWERED = {0, 4, 5}
"""The question was answered: yes; a file is not what was recorded; a version cannot be restored."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Markup -> controls -> syntax -> a log that is rewritten three times; then jobs that failed or never ended."""
    study = Study(tmp_path_factory.mktemp("hostile") / "penguins")
    first, second = study.run("aaaa", ago=timedelta(days=2)), study.run("bbbb", status="interrupted", ended_on=None)
    last = study.file(MARKUP, b"raw")
    for number, path in enumerate((CONTROLS, SYNTAX, LOG, LOG, LOG)):
        text = LONG if number == 4 else "<b>\x1b"
        facts: dict[str, Any] = {
            "wildcards": {"<b>": text},
            "params": {"$(rm -rf)": text, "n": number},
            "shellcmd": text,
        }
        (last,) = study.job(first, "<script>alert(1)</script>", {path: b"%d" % number}, used=[last], **facts)
    study.job(second, "r\x1b[2J", {}, used=[last], status="failed", error=LONG, log_excerpt=LONG)
    study.job(second, "stopped", {}, used=[last], status="interrupted", ended_on=None)
    study.client.close()
    shutil.rmtree(study.store / "blobs", ignore_errors=True)
    return study


@pytest.fixture
def work(recorded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the store as the current one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    monkeypatch.chdir(recorded.folder)
    return Path(recorded.folder)


QUESTIONS = [
    ["log", CONTROLS],
    ["show", SYNTAX],
    ["show", LOG],
    ["why", LOG],
    ["affected", MARKUP],
    ["affected", MARKUP, "--csv"],
    ["methods", LOG],
    ["methods", CONTROLS, "--format", "markdown"],
    ["verify"],
    ["lineage", LOG],
    ["lineage", MARKUP, "--downstream"],
    *(["lineage", LOG, "--format", form] for form in ("dot", "mermaid", "svg", "html")),
    ["diff", MARKUP, CONTROLS, "--content"],
    ["diff", f"{LOG}@1", f"{LOG}@3", "--content"],
    ["diff", "run:aaaa", "run:bbbb"],
    ["find", "n=4"],
    ["find", "status=failed"],
    ["find", "status=interrupted"],
    ["affected", "--run", "bbbb"],
    ["runs"],
    ["run", "aaaa"],
    ["restore", SYNTAX, "-o", "elsewhere"],
    ["restore", LOG, "-o", "elsewhere"],
    ["prune", "--keep-last", "1"],
]


@pytest.mark.parametrize("question", QUESTIONS, ids=ascii)
def test_every_question_is_answered_harmlessly(work: Path, snakeprov: Run, question: list[str]) -> None:
    """Neither a traceback nor what upsets a terminal or a browser comes out, and a megabyte is cut."""
    answer = snakeprov(*question)

    assert answer.status in ANSWERED, answer.err
    assert "Traceback" not in answer.err
    assert not {"\x1b", "\x07"} & set(answer.out + answer.err)
    if {"svg", "html"} & set(question):
        assert "<img" not in answer.out and "<script>alert" not in answer.out
    assert "\u202e" not in answer.out
    assert max(map(len, answer.out.splitlines())) < 100_000


@pytest.mark.parametrize("question", [one for one in QUESTIONS if not {"--format", "--csv"} & set(one)], ids=ascii)
def test_every_answer_is_there_for_programs(work: Path, snakeprov: Run, question: list[str]) -> None:
    """With --json the same question gives one JSON document."""
    command, *arguments = question
    answer = snakeprov(command, "--json", *arguments)

    assert answer.status in ANSWERED, answer.err
    assert "\x1b" not in answer.out
    json.loads(answer.out)
