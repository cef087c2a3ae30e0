"""Values that were shortened: which of them can be compared, and how many items they had."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.model import shortened
from snakeprov.model.shortened import NOT_COMPARABLE, REST_KEY, TOO_LARGE

LONG = list(range(9000))
NOTE = shortened.digest_of(LONG)
CUT = [0, 1, f"… {shortened.rest(8998, NOTE)}"]
TOO_LONG = [0, 1, f"… {shortened.rest(8998, TOO_LARGE)}"]


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        (LONG, NOTE),
        (CUT, NOTE),
        ({"a": 1, REST_KEY: shortened.rest(8, NOTE)}, NOTE),
        (shortened.text("begin", more=7, note=NOTE), NOTE),
        (shortened.described("<frame>", NOTE), NOTE),
        (["a"], shortened.digest_of(["a"])),
        ({"a": "b"}, shortened.digest_of({"a": "b"})),
        (3, shortened.digest_of(3)),
        (TOO_LONG, None),
        (shortened.described("Model()", NOT_COMPARABLE), None),
        # The digest of what is left would be that of another value.
        ([CUT], None),
        ({"a": CUT}, None),
        ({"a": [1, {"b": CUT}]}, None),
        ([[1], [[CUT]]], None),
    ],
)
def test_a_value_has_a_digest_if_the_whole_of_it_is_known(value: Any, digest: str | None) -> None:
    """Shortened itself, it brought the digest of the whole along; with shortened parts, nobody knows."""
    assert shortened.digest_known(value) == digest


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (CUT, 9000),
        (TOO_LONG, 9000),
        ({"a": 1, REST_KEY: shortened.rest(8, NOTE)}, 9),
        ([], 0),
        (["a", "… and so on"], 2),
        (["a", f"… ({NOT_COMPARABLE})"], None),
        ("abc", None),
        (shortened.text("begin", more=7, note=NOTE), None),
    ],
)
def test_the_number_of_items_is_that_of_the_whole(value: Any, size: int | None) -> None:
    """Only lists and objects have items."""
    assert shortened.size_of(value) == size


@pytest.mark.parametrize("description", ["<a> and b", "a and <b>"])
def test_only_a_description_in_angle_brackets_has_its_note_inside(description: str) -> None:
    """Others have it behind."""
    assert shortened.described(description, TOO_LARGE) == f"{description} ({TOO_LARGE})"
