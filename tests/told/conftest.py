"""The tale, recorded in a folder and on a server, and the commands that ask each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.client import Client

from ..commands import Answer, call
from ..server.live import Socket
from .tale import DIRTY, Tale

Ask = Callable[..., Answer]

VOLATILE = (
    (re.compile(r"\d+ (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?) ago|just now"), "N ago"),
    (re.compile(r"(when|N ago) {2,}"), r"\1  "),
    (re.compile(r"recorded   .*"), "recorded   then"),
    (re.compile(r"\bsyn\d+"), "synN"),
    (re.compile(r"urn:uuid:[0-9a-f-]{36}"), "urn:uuid:U"),
    (re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"), "then"),
    (re.compile(r"in {9}/.*"), "in         FOLDER"),
)
"""What differs between two places that hold the same, and between two days."""


@dataclass
class Places:
    """Where the tale is recorded.

    Attributes:
        folder: The working directory, in which two of the files lie.
        variables: With which a command asks one of the places.
    """

    folder: Path
    variables: dict[str, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Record the tale in each of the two."""
    base = tmp_path_factory.mktemp("told")
    folder = base / "study"
    folder.mkdir()
    team = Socket().open(base / "team")
    made = Places(folder)
    made.variables = {
        "folder": {"SNAKEPROV_STORE": str(folder / ".snakeprov")},
        "server": team.login("ada"),
    }
    with connect(folder / ".snakeprov", create=True) as client:
        _tell(client, folder)
    with connect(team.url, token=made.variables["server"]["SNAKEPROV_TOKEN"]) as client:
        _tell(client, folder)
    return made


@pytest.fixture
def ask(places: Places, tmp_path: Path) -> Ask:
    """Give `ask(place, *arguments)`: run a command that asks one of the places."""

    def ask_place(place: str, *arguments: str) -> Answer:
        variables = {"XDG_CONFIG_HOME": str(tmp_path / "no-config"), **places.variables[place]}
        answer = call(*arguments, folder=places.folder, variables=variables)
        assert "Traceback" not in answer.err, answer.err
        return answer

    return ask_place


def lasting(text: str) -> str:
    """Return what was printed without what differs between two places, or two days."""
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return text


def _tell(client: Client, folder: Path) -> None:
    """Record: a and b are made, dirty and then clean; a is edited, then restored, then made again; copied; and more."""
    tale = Tale(client, folder)
    tale.run(1, commit=DIRTY, dirty=True)
    (raw,) = (tale.version("in.txt", b"raw\n"),)
    (a1,) = tale.job("a", [raw], ("a.txt", b"table\n"))
    tale.job("b", [a1], ("b.txt", b"result\n"))
    first_a = tale.activity_of("a")
    tale.run(2)
    tale.job("a", [raw], ("a.txt", b"table\n"))
    tale.job("b", [a1], ("b.txt", b"result\n"))
    edited = tale.version("a.txt", b"table\noops\n", **tale.meaning("edited", a1))
    tale.run(3)
    tale.job("b", [edited], ("b.txt", b"another result\n"))
    a = {"rule": "a", "outputs": ["a.txt"]}
    tale.plan(a, {"rule": "b", "outputs": ["b.txt"], "isNeeded": True}, {**a, "rule": "tidy", "isMissing": True})
    restored = tale.version("a.txt", b"table\n", generatedBy=first_a, **tale.meaning("again", a1))
    tale.run(4)
    tale.job("b", [restored], ("b.txt", b"result\n"))
    copy = tale.version("c.txt", b"table\n", **tale.meaning("sameContent", a1))
    tale.job("use", [copy], ("d.txt", b"from a copy\n"))
    (parts,) = tale.job("split", [raw], ("parts/", b"{}"))
    split = tale.activity_of("split")
    member = tale.version("parts/m.txt", b"member\n", generatedBy=split)
    tale.run(5)
    tale.job("up", [member], ("up.txt", b"MEMBER\n"))
    while_ = {"whileJob": tale.last_job_id()}
    changed = tale.version("parts/m.txt", b"changed\n", **tale.meaning("edited", parts, **while_))
    big = tale.version("big.bin", None)
    tale.job("up", [changed, big], ("up.txt", b"CHANGED\n"))
    (folder / "a.txt").write_bytes(b"table\noops\n")
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / "m.txt").write_bytes(b"changed\n")
    (folder / "d.txt").write_bytes(b"nobody knows\n")
