"""The rules of what bytes mean, one by one, and which of them comes before which."""

from __future__ import annotations

import pytest

from snakeprov.model.meaning import (
    EVIDENT_BYTES_MIN,
    Again,
    Current,
    Edited,
    Evidence,
    Listing,
    Made,
    Meaning,
    Past,
    Raw,
    SameContent,
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
    ("evidence", "meaning"),
    [
        (Evidence(current=WORK, is_current=True), Current()),
        (Evidence(current=WORK, is_current=True, writer="3"), Current()),
        (Evidence(current=WORK, is_current=True, writer="3", always=True), Again(WORK, "3")),
        (Evidence(current=WORK, is_current=True, always=True), Current()),
        (Evidence(current=EDIT, earlier=WORK), Again(WORK, "7")),
        (Evidence(current=EDIT, earlier=WORK, writer="3"), Again(WORK, "3")),
        (Evidence(current=WORK, earlier=RAW), Again(RAW, None)),
        (Evidence(current=WORK, writer="3"), Made("3")),
        (Evidence(writer="3", elsewhere=OTHER, size_bytes=LARGE), Made("3")),
        (Evidence(listing=Listing(FOLDER, has_these=True, is_newer=True)), Made("9")),
        (Evidence(current=WORK, listing=Listing(FOLDER, has_these=True, is_newer=False)), Made("9")),
        (Evidence(current=WORK, earlier=RAW, listing=Listing(FOLDER, has_these=True, is_newer=True)), Again(RAW, "9")),
        (Evidence(listing=Listing(FOLDER, has_these=True, is_newer=True), writer="3"), Made("3")),
        (Evidence(current=WORK), Edited(WORK)),
        (Evidence(current=WORK, looks_same=True), Edited(WORK)),
        (Evidence(current=UNREAD), Edited(UNREAD)),
        (Evidence(current=UNREAD, looks_same=True), Current(is_proved=False)),
        (Evidence(current=EDIT, elsewhere=OTHER, size_bytes=LARGE), Edited(EDIT)),
        (Evidence(current=WORK, listing=Listing(FOLDER, has_these=False, is_newer=True)), Edited(FOLDER)),
        (Evidence(current=WORK, listing=Listing(FOLDER, has_these=False, is_newer=False)), Edited(WORK)),
        (Evidence(listing=Listing(FOLDER, has_these=False, is_newer=True)), Edited(FOLDER)),
        (Evidence(), Raw()),
        (Evidence(size_bytes=LARGE), Raw()),
        (Evidence(is_read=False, looks_same=True), Raw()),
        (Evidence(current=RAW), Raw()),
        (Evidence(elsewhere=OTHER, size_bytes=LARGE), SameContent(OTHER)),
        (Evidence(current=RAW, elsewhere=OTHER, size_bytes=LARGE), SameContent(OTHER)),
        (Evidence(elsewhere=OTHER, size_bytes=LARGE - 1), Raw()),
        (Evidence(is_read=False, current=WORK, looks_same=True), Current(is_proved=False)),
        (Evidence(is_read=False, current=WORK), Edited(WORK)),
        (Evidence(is_read=False, current=RAW), Raw()),
        (Evidence(is_read=False, current=WORK, looks_same=True, writer="3"), Made("3")),
    ],
)
def test_what_bytes_mean(evidence: Evidence, meaning: Meaning) -> None:
    """The first rule that fits holds."""
    assert meaning_of(evidence) == meaning
