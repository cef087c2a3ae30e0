"""Names for Synapse: always ones that it takes, never the same for two files, and readable."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.synapse.names import NAME_CHARS_MAX, from_synapse_name, to_synapse_name

TAKEN = re.compile(r"[a-zA-Z0-9,_.\-+()']([a-zA-Z0-9,_. \-+()']*[a-zA-Z0-9,_.\-+()'])?")

NAMES = st.text(
    st.sampled_from("ab(2F3)é/# '+-") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60
) | st.sampled_from(["(sha256-", "((2F)", "(2F)", "(28)2F)", " ", "a" * 300, "é" * 300])


@settings(max_examples=300, deadline=None)
@given(NAMES)
def test_every_name_becomes_one_that_synapse_takes(name: str) -> None:
    """Its alphabet, its length, no space at either end."""
    written = to_synapse_name(name)

    assert TAKEN.fullmatch(written) and len(written) <= NAME_CHARS_MAX


@settings(max_examples=300, deadline=None)
@given(NAMES)
def test_a_name_can_be_turned_back(name: str) -> None:
    """So two names never become the same one; a name that is cut ends with a part of its digest instead."""
    written = to_synapse_name(name)

    if re.search(r"\(sha256-[0-9a-f]{32}\)$", written) is None:
        assert from_synapse_name(written) == name


def test_names_that_are_cut_differ_where_the_names_do() -> None:
    """Also if they differ only in what was cut off."""
    assert to_synapse_name("é" * 300 + "1") != to_synapse_name("é" * 300 + "2")


@pytest.mark.parametrize("name", ["results.csv", "plot (1).png", "O'Brien, final+1.txt", "a b", "(root)", "x(1a).txt"])
def test_names_that_synapse_takes_stay_as_they_are(name: str) -> None:
    """Nobody wonders where a file is."""
    assert to_synapse_name(name) == name
