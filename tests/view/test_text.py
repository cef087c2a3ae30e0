"""The pieces that every screen is made of: safe, measured, cut, coloured, aligned."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakeprov.view import text, times
from snakeprov.view.text import Piece, Screen, compose, listing, paragraph, say, shorten, table, width

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@given(st.text())
def test_nothing_that_is_said_acts_on_a_terminal(name: str) -> None:
    """Whatever a name holds, no control, line break, direction mark or lone surrogate is left of it."""
    shown = say(name).text
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b]0;title\x07b", "a\\x1b]0;title\\x07b"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("gnp.\u202egpj.exe", "gnp.\\u202egpj.exe"),
        ("caf\udce9", "caf\\udce9"),
        ("data/données 日本.csv", "data/données 日本.csv"),
    ],
)
def test_what_acts_on_a_terminal_is_shown_as_an_escape(name: str, shown: str) -> None:
    """Control characters are visible as escapes and ordinary text of any script is left alone."""
    assert say(name).text == shown


@given(st.text(), st.integers(0, 30), st.sampled_from(["start", "end", "path"]), st.sampled_from(["…", "..."]))
def test_a_cut_text_fits(name: str, columns: int, keep: str, ellipsis: str) -> None:
    """A shortened text takes no more columns than it was given, and a text that fits is unchanged."""
    cut = shorten(name, columns, keep=keep, ellipsis=ellipsis)  # type: ignore[arg-type]
    assert width(cut) <= columns
    assert cut == name or width(name) > columns


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=6), st.integers(3, 60))
def test_a_composed_line_fits_the_screen(parts: list[str], columns: int) -> None:
    """No line is wider than the screen, whatever it is made of."""
    assert width(compose([say(part) for part in parts], Screen(now=NOW, width=columns))) <= columns


@given(
    st.lists(st.tuples(st.text("ab /日", max_size=30), st.sampled_from(["", "bad"])), max_size=6),
    st.integers(20, 60),
    st.integers(0, 8),
)
def test_a_paragraph_is_whole_and_fits_the_screen(parts: list[tuple[str, text.Role]], columns: int, hang: int) -> None:
    """Every word is there, in order; a line is too wide only where one word is, and that one stays in one piece."""
    line = [say(said, role) for said, role in parts]
    words = "".join(said for said, _ in parts).split(" ")
    got = list(paragraph(line, Screen(now=NOW, width=columns), hang=hang))
    assert [word for one in got for word in one.split(" ") if word] == [word for word in words if word]
    assert all(width(one) <= columns or len(one.split()) == 1 or hang for one in got)
    assert all(one.startswith(" " * hang) for one in got[1:])
    assert list(paragraph(line, Screen(now=NOW), hang=hang)) == ["".join(said for said, _ in parts).rstrip(" ")]


def test_a_paragraph_breaks_at_blanks_and_hangs_below_its_label() -> None:
    """The label stays with the first word, also with one that is too long for the screen."""
    line = [say("reason   ", "faint"), say("Missing output files: "), say("results/a/very/long/name.csv; then")]
    assert list(paragraph(line, Screen(now=NOW, width=24), hang=9)) == [
        "reason   Missing output",
        "         files:",
        "         results/a/very/long/name.csv;",
        "         then",
    ]
    long = [say("command  "), say("results/a/very/long/name.csv")]
    assert list(paragraph(long, Screen(now=NOW, width=24), hang=9)) == ["command  results/a/very/long/name.csv"]


def test_rows_that_do_not_fit_are_told_one_by_one() -> None:
    """No path is cut: what belongs to it follows below."""
    rows = [[say("changed"), say("results/long/table.csv@1"), say("written today")], [say("ok"), say("a"), say("")]]
    assert list(listing(rows, Screen(now=NOW, width=60))) == [
        ["changed  results/long/table.csv@1  written today"],
        ["ok       a"],
    ]
    assert list(listing(rows, Screen(now=NOW, width=40))) == [
        ["changed  results/long/table.csv@1", "         written today"],
        ["ok       a"],
    ]


def test_colour_is_only_used_where_it_is_wanted() -> None:
    """Without colour a line holds no escape sequence; with colour only pieces that have a role do."""
    line = [Piece("@1", "version"), Piece(" plain")]
    assert compose(line, Screen(now=NOW)) == "@1 plain"
    assert compose(line, Screen(now=NOW, colour=True)) == "\x1b[36m@1\x1b[0m plain"


def test_a_table_aligns_by_columns_on_the_screen() -> None:
    """Wide characters count for two, numbers stand to the right, an empty column vanishes with its title."""
    rows = [[say("データ"), say(""), say("1 B")], [say("a"), say(""), say("12.3 kB")]]
    got = list(table(rows, Screen(now=NOW), titles=("name", "none", "size"), right=frozenset({2})))
    assert got == ["name       size", "データ      1 B", "a       12.3 kB"]


def test_a_table_cuts_its_flexible_column() -> None:
    """The flexible column gives way, at the end that was chosen, and the others stay whole."""
    rows = [[say("results/very/deep/table.csv"), say("9f86d081")]]
    assert list(table(rows, Screen(now=NOW, width=30), flexible=0, keep="end")) == ["…very/deep/table.csv  9f86d081"]
    assert list(table([], Screen(now=NOW), titles=("a",))) == []


def test_a_table_leaves_columns_out_before_it_cuts() -> None:
    """One by one, as far as the screen needs it; with their titles."""
    rows = [[say("results/deep/table.csv"), say("sample=a"), say("9f86d081")]]
    for columns, line in (
        (42, "results/deep/table.csv  sample=a  9f86d081"),
        (41, "results/deep/table.csv  9f86d081"),
        (31, "results/deep/table.csv"),
        (21, "…sults/deep/table.csv"),
    ):
        drop = table(rows, Screen(now=NOW, width=columns), flexible=0, keep="end", drop=(1, 2))
        assert list(drop) == [line]
    titled = table(rows, Screen(now=NOW, width=40), titles=("version", "wildcards", "sha"), flexible=0, drop=(1,))
    assert next(titled) == "version                 sha"


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=-3600), "in the future"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=400), "1 year ago"),
    ],
)
def test_relative_times_name_the_largest_whole_unit(away: timedelta, words: str) -> None:
    """An age is said in its largest whole unit; a clock that is a little ahead is forgiven."""
    assert times.relative(NOW - away, NOW) == words


def test_times_that_are_unknown_are_left_out() -> None:
    """A moment without zone, or an invalid one, gives nothing rather than a guess."""
    assert times.parse("2026-11-22T12:00:00") is None
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert times.between(None, noon) == ""
    assert times.between(noon, noon + timedelta(seconds=65)) == "1 min 05 s"


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (1000, "1.0 kB"), (99_960, "100 kB"), (999_500, "1.0 MB"), (10**18, "1000 PB")],
)
def test_sizes_have_three_digits(size_bytes: int, words: str) -> None:
    """A size is said with about three digits, and never as 1000 of a unit that has a larger one."""
    assert text.size(size_bytes) == words
