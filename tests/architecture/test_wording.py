"""The wording of documents, help, messages, docstrings and comments, by the rules in `.vale/styles`.

`vale` applies the same rules in an editor. It is a program to download, so the tests do without it: the rules are just
regular expressions. Every pattern begins with `\\b`, the beginning of a word, which keeps the search fast.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STYLE = ROOT / ".vale" / "styles" / "Snakeprov"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [
    path
    for folder in ("snakeprov",)
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "workflows" not in path.parts and path != Path(__file__)
]


Rule = tuple[re.Pattern[str], str]


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the style, which also matches where the words are on two lines, in a comment too."""
    spaced = re.sub(r"\(\?<![^)]*\)| ", lambda part: r"\s+(?:# )?" if part[0] == " " else part[0], pattern)
    return re.compile(spaced, re.IGNORECASE)


def rules() -> list[Rule]:
    """Every rule, with its message about a hit."""
    found = []
    for path in sorted(STYLE.glob("*.yml")):
        rule = yaml.safe_load(path.read_text())
        for pattern in rule.get("tokens", []):
            found.append((compiled(pattern), rule["message"]))
        for pattern, better in rule.get("swap", {}).items():
            found.append((compiled(pattern), rule["message"].replace("%s", better, 1)))
    return found


RULES = rules()
ANY = re.compile("|".join(pattern.pattern for pattern, _ in RULES))
"""Matches in text of small letters wherever a rule may match: one search is much faster than one for each rule."""


def hits(text: str) -> list[tuple[int, str]]:
    """What the rules find in a text: each hit's place, and what to write instead."""
    return [
        (place.start(), message.replace("%s", " ".join(hit[0].split())))
        for place in ANY.finditer(text.lower())
        for pattern, message in RULES
        if (hit := pattern.match(text, place.start()))
    ]


def prose_of(source: str) -> Iterator[range]:
    """Where the comments, docstrings and messages of a module are."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            yield range(starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1])


def lines(text: str, found: Iterable[tuple[int, str]]) -> list[str]:
    """Hits with the numbers of their lines."""
    return [f"{text.count(chr(10), 0, place) + 1}: {message}" for place, message in found]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_are_in_plain_words(path: Path) -> None:
    """No rule of the style finds anything."""
    text = path.read_text()
    assert lines(text, hits(text)) == []


def test_modules_are_in_plain_words() -> None:
    """No rule of the style finds anything in a comment, a docstring or a message."""
    found = []
    for path in MODULES:
        source = path.read_text()
        if among := hits(source):
            prose = list(prose_of(source))
            among = [hit for hit in among if any(hit[0] in part for part in prose)]
            found += [f"{path.relative_to(ROOT)}:{line}" for line in lines(source, among)]
    assert found == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Mend it and call snakeprov push.",
        "So many outputs of each run are compared.",
        "The path where the value is none.",
        "What is told of a run.",
        "It is no such digest.",
        "A file that is no record.",
        "The projects that somebody may read.",
        "A server of snakeprov's own.",
        "A question that nobody\n        # is told of.",
    ],
)
def test_the_style_finds_what_reads_badly(sentence: str) -> None:
    """Each of these was once in a message or in a docstring."""
    assert hits(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "None if there is none.",
        "The value is None.",
        "There are none of that kind.",
        "They are told apart.",
        "There is no such file.",
        "It is no longer there.",
        "The layout of snakeprov's folders.",
    ],
)
def test_the_style_leaves_idiomatic_sentences_alone(sentence: str) -> None:
    """Words that are wrong in one place are right in another."""
    assert hits(sentence) == []
