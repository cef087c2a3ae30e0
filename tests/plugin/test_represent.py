"""Any value as something that JSON can hold."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.plugin import represent as module
from snakeprov.plugin.represent import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, represent


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Raises:
    def __repr__(self) -> str:
        raise ValueError("no")


class Huge:
    def __repr__(self) -> str:
        return "x" * (MAX_CHARACTERS + 7)


class Spoofed:
    @property
    def __class__(self) -> Any:
        raise RuntimeError("not even this")


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(count(one) for one in value.values())
    return 1 + sum(count(one) for one in value) if isinstance(value, list) else 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (0.5, 0.5),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2**63 - 1, 2**63 - 1),
        (2**70, str(2**70)),
        ("a\ud800b", "a\\ud800b"),
        (b"\x00\xff", "b'\\x00\\xff'"),
        (Path("a/b"), "a/b"),
        ((1, [2]), [1, [2]]),
        ({"b", "a"}, ["a", "b"]),
        ({1: 2, None: 3, (4,): 5}, {"1": 2, "None": 3, "[4]": 5}),
        (Colour.RED, "Colour.RED"),
        (Level.LOW, "Level.LOW"),
        (datetime.date(2026, 11, 22), "2026-11-22"),
        (decimal.Decimal("0.10"), "0.10"),
        (len, "<builtin_function_or_method builtins.len>"),
        (iter([1]), "<list_iterator object>"),
        ((one for one in ()), "<generator object <genexpr>>"),
        (Raises(), f"<{__name__}.Raises: not representable (ValueError)>"),
        (Huge(), "x" * MAX_CHARACTERS + "… (7 more characters)"),
        ("x" * (MAX_CHARACTERS + 1), "x" * MAX_CHARACTERS + "… (1 more characters)"),
    ],
)
def test_each_kind_of_value_has_its_form(value: object, expected: object) -> None:
    """Plain values stay, everything else becomes text or a container of such."""
    assert represent(value) == expected


def test_a_value_that_lies_about_its_class_is_represented() -> None:
    """Not even a class that raises when asked for itself gets through."""
    assert represent([Spoofed()]) == [f"<{__name__}.Spoofed object>"]


def test_memory_addresses_are_left_out() -> None:
    """Two objects of the same class are represented alike, so that runs can be compared."""
    assert represent(object()) == represent(object()) == "<object object>"
    assert represent(lambda: None).startswith("<function ")


def test_an_iterator_is_not_advanced() -> None:
    """A generator in the params still has all of its items afterwards."""
    generator = iter(range(3))
    represent({"items": generator})
    assert list(generator) == [0, 1, 2]


def test_recursion_and_depth_end() -> None:
    """A list that holds itself, and one nested deeper than the bound, are cut off."""
    own: list[Any] = [1]
    own.append(own)
    assert represent(own) == [1, "<itself>"]
    deep: list[Any] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert str(represent(deep)) == "[" * MAX_DEPTH + "'<list of 0>'" + "]" * MAX_DEPTH


def test_size_is_bounded() -> None:
    """No more values than the budget are written, and what is left out is counted."""
    assert represent(list(range(10)), budget=4) == [0, 1, 2, "… 7 more"]
    assert represent({str(n): n for n in range(10)}, budget=4) == {"0": 0, "1": 1, "…": "8 more"}
    assert represent(set(range(10)), budget=4) == "<set of 10>"
    assert count(represent([[n] * 10 for n in range(MAX_VALUES)])) <= MAX_VALUES + 2 * MAX_DEPTH


def test_numpy_and_pandas_values() -> None:
    """Scalars and small arrays are written out; large ones are described by shape and type."""
    numpy = pytest.importorskip("numpy", reason="numpy is not installed here")
    assert represent(numpy.float32(0.5)) == 0.5
    assert represent(numpy.int64(3)) == 3
    assert represent(numpy.float64("nan")) == "nan"
    assert represent(numpy.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert represent(numpy.zeros((200, 3))) == "<numpy.ndarray of shape (200, 3), dtype float64>"
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")
    assert represent(pandas.DataFrame({"a": [1, 2]})) == {"a": {"0": 1, "1": 2}}
    large = represent(pandas.DataFrame({"a": range(1000), "b": range(1000)}))
    assert re.fullmatch(r"<pandas\.\S*DataFrame of shape \(1000, 2\), columns \['a', 'b'\]>", large)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
    | st.datetimes()
    | st.decimals()
    | st.builds(Raises)
    | st.builds(object)
    | st.just(Level.LOW)
    | st.functions(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.floats(), inner)
        | st.frozensets(st.integers() | st.text())
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(anything)
def test_the_result_is_always_json(value: object) -> None:
    """Whatever goes in, the outcome can be encoded, and twice the same."""
    once = represent(value)
    assert msgspec.json.decode(msgspec.json.encode(once)) == once
    assert represent(value) == once


def test_no_library_is_imported_for_it() -> None:
    """Arrays and tables are recognised only where numpy and pandas are loaded anyway."""
    source = Path(module.__file__).read_text()
    assert not re.search(r"^\s*(import|from) (numpy|pandas)", source, re.M)
