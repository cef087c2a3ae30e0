"""Names, labels and messages that were made to do harm, recorded on a team's server and asked for by every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..cli.conftest import Study
from ..server.live import Socket
from .conftest import Ask, Pipeline

ESCAPE = "\x1b[31m\x1b]0;title\x07\x9b2J\u202e"
MARKUP = '<img src=x onerror=alert(1)>"]; evil -> {a|b} --> %%{init}%% `c` #quot;'
NAME = f"{ESCAPE}{MARKUP}\n.txt"
PATH = f"results/{NAME}"
LONG = "x" * 10**6

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

OUT_CHARACTERS_MAX = 400_000
"""A label of a megabyte is not shown whole, whatever shows it."""


@pytest.fixture(scope="module")
def hostile(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose records, on a server of their own, were made to do harm."""
    base = tmp_path_factory.mktemp("hostile")
    team = Socket().open(base / "team")
    pipeline.places["hostile"] = team.login("mallory")
    (base / "penguins").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAKEPROV_TOKEN", pipeline.places["hostile"]["SNAKEPROV_TOKEN"])
        study = Study(base / "penguins", store=team.url)
        facts = {
            "wildcards": {f"w{ESCAPE}": LONG, "short": NAME},
            "params": {f"p{MARKUP}": [LONG, ESCAPE], "q": {"deep": LONG}},
            "shellcmd": f"echo {NAME} {LONG}",
            "reason": ESCAPE + LONG,
        }
        for number in (1, 2):
            run = study.run(f"abc{number}", command_line=f"snakemake {NAME} {LONG}", config={ESCAPE: LONG})
            source = study.file(f"data/{NAME}", f"{ESCAPE}{number}".encode())
            code = study.file(f"scripts/{NAME}.py", f"print({number})\n{ESCAPE}{LONG}".encode())
            rule = f"rule{ESCAPE}{MARKUP}"
            study.job(run, rule, {PATH: f"{ESCAPE}{number}\n".encode()}, used=[source], executed=[code], **facts)
            study.job(run, f"bad{MARKUP}", {}, status="failed", error=ESCAPE + LONG)
        study.client.close()
    return study.folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["log"],
        ["log", PATH],
        ["show", PATH],
        ["why", PATH],
        ["diff", f"{PATH}@1", PATH, "--content"],
        ["diff", "run:abc1", "run:abc2"],
        ["methods", PATH],
        ["affected", f"data/{NAME}"],
        ["affected", f"data/{NAME}", "--csv"],
        ["find", "status=failed"],
        ["find", f"path={PATH}"],
        ["find", "--file", PATH],
        ["runs"],
        ["run", "last"],
        ["verify"],
        ["verify", PATH],
        ["restore", PATH],
        ["checkout", "run:last", "--to", "out"],
        ["prune", "--keep-last", "1"],
        ["export", PATH, "-o", "crate"],
        ["show", f"{PATH}@9"],
        ["show", f"data/{NAME[:-4]}"],
        ["find", f"rule=rule{ESCAPE}"],
        ["run", ESCAPE],
        *(["lineage", PATH, "--format", form] for form in ("text", "dot", "mermaid", "svg", "html")),
        ["lineage", f"data/{NAME}", "--downstream"],
    ],
    ids=lambda one: one[0],
)
def test_nothing_reaches_the_terminal_or_the_drawing(
    ask: Ask, hostile: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """No control character, no markup that a page would run, and no megabyte of one label."""
    arguments = [str(tmp_path / one) if one in ("out", "crate") else one for one in arguments]
    answer = ask("hostile", *arguments, folder=hostile)
    told = answer.out + answer.err

    assert told and not CONTROL.search(told), sorted(set(CONTROL.findall(told)))
    assert len(told) < OUT_CHARACTERS_MAX
    form = arguments[-1]
    if form in ("svg", "html"):
        assert "<img" not in told
    if form == "dot":
        assert all(line.count('"') % 2 == 0 for line in told.replace('\\"', "").splitlines())
    if form == "mermaid":
        assert "%%{init" not in told and "<img" not in told
