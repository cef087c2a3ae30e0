"""Any value as something that JSON can hold."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.lineage.values import differing
from snakeprov.model.records import JobRecord
from snakeprov.model.shortened import TOO_LARGE, digest_known, digest_of, mark_of
from snakeprov.plugin import represent as module
from snakeprov.plugin.represent import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, represent
from snakeprov.plugin.tables import VALUES_MAX


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
        ({1: 2, "1": 3, None: 4, (4,): 5}, {"<1>": 2, "1": 3, "<None>": 4, "<[4]>": 5}),
        ({1: 2, "<1>": 3}, {"<1>": 2, "<1>'": 3}),
        (Colour.RED, "Colour.RED"),
        (Level.LOW, "Level.LOW"),
        (datetime.date(2026, 11, 22), "2026-11-22"),
        (decimal.Decimal("0.10"), "0.10"),
        (len, "<builtin_function_or_method builtins.len>"),
        (iter([1]), "<list_iterator object, not comparable>"),
        ((one for one in ()), "<generator object <genexpr>, not comparable>"),
        (partial(len, "a"), "functools.partial(<built-in function len>, 'a')"),
        (Raises(), f"<{__name__}.Raises: not representable (ValueError), not comparable>"),
        (Huge(), f"{'x' * MAX_CHARACTERS}… (7 more characters, {digest_of('x' * (MAX_CHARACTERS + 7))})"),
        ("y" * (MAX_CHARACTERS + 1), f"{'y' * MAX_CHARACTERS}… (1 more characters, {digest_of('y' * 10_001)})"),
        (bytes(2_000_000), "<bytes of 2000000, too large to compare>"),
    ],
)
def test_each_kind_of_value_has_its_form(value: object, expected: object) -> None:
    """Plain values stay, everything else becomes text or a container of such."""
    assert represent(value) == expected


def test_a_value_that_lies_about_its_class_is_represented() -> None:
    """Not even a class that raises when asked for itself gets through."""
    assert represent([Spoofed()]) == [f"<{__name__}.Spoofed object, {digest_of({})}>"]


class Model:
    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


class Slotted:
    __slots__ = ("part",)


@dataclass
class Named:
    part: Any


def test_objects_are_compared_by_what_is_in_them() -> None:
    """Memory addresses are left out; an object that does not tell what is in it is said to be not comparable."""
    assert represent(Model(a=1, b=Model())) == represent(Model(a=1, b=Model()))
    assert represent(Model(a=1, b=Model())) != represent(Model(a=1, b=Model(c=2)))
    assert represent(Named(1)) == f"{__name__}.Named(part=1)".replace(f"{__name__}.", "")
    itself = Model()
    itself.itself = itself
    assert represent(itself).startswith(f"<{__name__}.Model object, sha256:")
    for opaque in (object(), Slotted(), Model(a=object()), Named(Slotted()), lambda: None, partial(max, key=Raises())):
        shown = represent(opaque)
        assert mark_of(shown) is not None and digest_known(shown) is None and " at 0x" not in shown
        assert represent(opaque) == shown


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
    assert str(represent(deep)) == "[" * MAX_DEPTH + f"'<list of 0, {digest_of([])}>'" + "]" * MAX_DEPTH
    for _ in range(10_000):
        deep = [deep]
    assert TOO_LARGE in str(represent(deep))


def test_size_is_bounded() -> None:
    """No more values than the budget are written; what is left out is counted, and the whole has its digest."""
    numbers = list(range(10))
    assert represent(numbers, budget=4) == [0, 1, 2, f"… 7 more ({digest_of(numbers)})"]
    named = {str(number): number for number in numbers}
    assert represent(named, budget=4) == {"0": 0, "1": 1, "…": f"8 more ({digest_of(named)})"}
    assert represent(set(numbers), budget=4) == f"<set of 10, {digest_of(numbers)}>"
    assert represent(list(range(VALUES_MAX)))[-1] == f"… {VALUES_MAX - MAX_VALUES + 1} more ({TOO_LARGE})"
    assert count(represent([[n] * 10 for n in range(MAX_VALUES)])) <= MAX_VALUES + 2 * MAX_DEPTH


def test_numpy_and_pandas_values() -> None:
    """Scalars and small arrays are written out; large ones are described by shape and type."""
    numpy = pytest.importorskip("numpy", reason="numpy is not installed here")
    assert represent(numpy.float32(0.5)) == 0.5
    assert represent(numpy.int64(3)) == 3
    assert represent(numpy.float64("nan")) == "nan"
    assert represent(numpy.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert re.fullmatch(
        r"<numpy.ndarray of shape \(200, 3\), dtype float64, sha256:\w{16}>", represent(numpy.zeros((200, 3)))
    )
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")
    assert represent(pandas.DataFrame({"a": [1, 2]})) == {"a": [1, 2]}
    assert represent(pandas.DataFrame({"a": [1, 2]}, index=["x", "y"])) == {"a": {"x": 1, "y": 2}}
    assert represent(pandas.Series([1, pandas.NA], dtype="Int64")) == [1, "<NA>"]
    large = represent(pandas.DataFrame({"a": range(1000), "b": range(1000)}))
    assert re.fullmatch(r"<pandas\.\S*DataFrame of shape \(1000, 2\), columns \['a', 'b'\], sha256:\w{16}>", large)


def test_tables_are_compared_cell_by_cell() -> None:
    """One cell, a name, the index or the order of rows makes another table; a copy is the same."""
    numpy = pytest.importorskip("numpy", reason="numpy is not installed here")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")
    table = pandas.DataFrame({"text": [f"s{number}" for number in range(300)], "value": numpy.arange(300) / 7})
    others = [table.copy() for _ in range(5)]
    others[0].loc[299, "value"] += 1e-9
    others[1].loc[299, "text"] = "other"
    others[2].columns = ["text", "values"]
    others[3].index += 1
    others[4] = others[4].iloc[::-1].reset_index(drop=True)
    others += [pandas.concat([table, table], axis=1), table.astype({"value": "float32"}), table["value"], table["text"]]
    shown = [represent(one) for one in (table, *others)]
    assert len({digest_known(one) for one in shown} - {None}) == len(shown)
    assert represent(table.copy()) == shown[0]
    missing = numpy.array([numpy.nan] * 300)
    assert represent(missing) == represent(-missing)
    assert mark_of(represent(numpy.zeros(3_000_000))) == represent(numpy.zeros(3_000_000))
    assert digest_known(represent(numpy.zeros(3_000_000))) is None


def test_rows_and_columns_of_one_name_are_not_lost() -> None:
    """A small table whose index or columns repeat cannot be a dict of dicts."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")
    for table in (
        pandas.DataFrame([[1, 2]], columns=["a", "a"]),
        pandas.DataFrame({"a": [1, 2]}, index=[0, 0]),
        pandas.Series([1, 2], index=[0, 0]),
    ):
        other = table.copy()
        other.iloc[0] = 3
        assert represent(table) != represent(other)


def test_no_warning_of_a_library_is_heard() -> None:
    """Warnings of pandas about our calls do not reach the user of the workflow."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed here")

    class Loud:
        def __repr__(self) -> str:
            warnings.warn("loud", FutureWarning, stacklevel=1)
            return "Loud()"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert represent([Loud(), pandas.DataFrame([[1, 2]], columns=["a", "a"])])[0] == "Loud()"


def test_a_digest_gives_no_secret_away() -> None:
    """What is digested was redacted before: another password makes no other digest, under any name."""
    shown = []
    for secret in ("hunter2-hunter2", "correct-horse"):
        redactor = Redactor(values=[secret])
        config = {"rest": list(range(100)), "password": secret, "mail": f"send to ada {secret} today", "n": [1, 2]}
        shown.append(represent(config, budget=10, redact=redactor.value))
    assert shown[0] == shown[1] and digest_known(shown[0]) is not None
    params = {"token": represent(list("abcdef" * 2000), redact=Redactor().value), "names": shown[0]}
    record = Redactor().job(JobRecord(id="1", run_id="2", rule="a", status="success", params=params))
    assert "sha256" not in str(record.params["token"])
    assert record.params["names"] == shown[0]


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


@settings(max_examples=200, deadline=None)
@given(st.data(), anything, st.integers(1, 30), st.integers(1, 30))
def test_shortened_values_are_equal_if_and_only_if_the_wholes_are(
    data: st.DataObject, value: object, budget: int, other_budget: int
) -> None:
    """However much of two values is recorded: no difference is claimed where there is none, and none is missed."""
    other = data.draw(st.just(value) | anything | st.just([value]) | st.just({"a": value}))
    wholes = [represent(one, budget=1_000_000) for one in (value, other)]
    found = differing(
        {"v": represent(value, budget=budget)}, {"v": represent(other, budget=other_budget)}, limit=1_000_000
    )
    if wholes[0] == wholes[1] and _types(wholes[0]) == _types(wholes[1]):
        assert all(one.action == "unknown" for one in found)
    else:
        assert found


def _types(value: Any) -> Any:
    if isinstance(value, list):
        return [_types(one) for one in value]
    return {key: _types(one) for key, one in value.items()} if isinstance(value, dict) else type(value)


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
