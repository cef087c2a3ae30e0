"""The rules of what bytes mean, one by one, and which of them comes before which."""

from __future__ import annotations

import pytest

from snakeprov.model.meaning import (
    EVIDENT_BYTES_MIN,
    Again,
    Current,
    Edited,
    Listing,
    Made,
    Meaning,
    Past,
    Raw,
    SameContent,
    Sight,
    meaning_of,
)

RAW = Past("syn1", 1)
WORK = Past("syn1", 2, "7", is_work=True)
EDIT = Past("syn1", 3, is_work=True)
UNREAD = Past("syn1", 2, "7", is_work=True, is_read=False)
OTHER = Past("syn9", 4, "8", is_work=True)
FOLDER = Past("syn5", 6, "9", is_work=True)
LARGE = EVIDENT_BYTES_MIN


@pytest.mark.parametrize(
    ("sight", "meaning"),
    [
        (Sight(current=WORK, is_current=True), Current()),
        (Sight(current=WORK, is_current=True, writer="3"), Current()),
        (Sight(current=WORK, is_current=True, writer="3", always=True), Again(WORK, "3")),
        (Sight(current=WORK, is_current=True, always=True), Current()),
        (Sight(current=EDIT, earlier=WORK), Again(WORK, "7")),
        (Sight(current=EDIT, earlier=WORK, writer="3"), Again(WORK, "3")),
        (Sight(current=WORK, earlier=RAW), Again(RAW, None)),
        (Sight(current=WORK, writer="3"), Made("3")),
        (Sight(writer="3", elsewhere=OTHER, size_bytes=LARGE), Made("3")),
        (Sight(listing=Listing(FOLDER, has_these=True, is_newer=True)), Made("9")),
        (Sight(current=WORK, listing=Listing(FOLDER, has_these=True, is_newer=False)), Made("9")),
        (Sight(current=WORK, earlier=RAW, listing=Listing(FOLDER, has_these=True, is_newer=True)), Again(RAW, "9")),
        (Sight(listing=Listing(FOLDER, has_these=True, is_newer=True), writer="3"), Made("3")),
        (Sight(current=WORK), Edited(WORK)),
        (Sight(current=WORK, looks_same=True), Edited(WORK)),
        (Sight(current=UNREAD), Edited(UNREAD)),
        (Sight(current=UNREAD, looks_same=True), Current(is_proved=False)),
        (Sight(current=EDIT, elsewhere=OTHER, size_bytes=LARGE), Edited(EDIT)),
        (Sight(current=WORK, listing=Listing(FOLDER, has_these=False, is_newer=True)), Edited(FOLDER)),
        (Sight(current=WORK, listing=Listing(FOLDER, has_these=False, is_newer=False)), Edited(WORK)),
        (Sight(listing=Listing(FOLDER, has_these=False, is_newer=True)), Edited(FOLDER)),
        (Sight(), Raw()),
        (Sight(size_bytes=LARGE), Raw()),
        (Sight(is_read=False, looks_same=True), Raw()),
        (Sight(current=RAW), Raw()),
        (Sight(elsewhere=OTHER, size_bytes=LARGE), SameContent(OTHER)),
        (Sight(current=RAW, elsewhere=OTHER, size_bytes=LARGE), SameContent(OTHER)),
        (Sight(elsewhere=OTHER, size_bytes=LARGE - 1), Raw()),
        (Sight(is_read=False, current=WORK, looks_same=True), Current(is_proved=False)),
        (Sight(is_read=False, current=WORK), Edited(WORK)),
        (Sight(is_read=False, current=RAW), Raw()),
        (Sight(is_read=False, current=WORK, looks_same=True, writer="3"), Made("3")),
    ],
)
def test_what_bytes_mean(sight: Sight, meaning: Meaning) -> None:
    """The first rule that fits holds."""
    assert meaning_of(sight) == meaning
