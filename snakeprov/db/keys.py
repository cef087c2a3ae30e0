"""Pass many keys as one parameter: a JSON array that the database unpacks.

An IN with a parameter for each key is another statement every time, and to write that cost more than to find the rows.
With an array the statement stays the same, and there is no bound on the number of keys.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Select, TableValuedAlias, Text, bindparam, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

_encode = msgspec.json.Encoder().encode


class JsonElements(GenericFunction[Any]):
    """The elements of a JSON array: a table with the column `value`."""

    name = "json_elements"
    inherit_cache = True


class JsonNumber(GenericFunction[int]):
    """A JSON value, or what is at a place of it if it is an array, as a number."""

    type = BigInteger()
    name = "json_number"
    inherit_cache = True


class JsonText(GenericFunction[str]):
    """A JSON value as a text."""

    type = Text()
    name = "json_text"
    inherit_cache = True


def numbers(name: str) -> Select[tuple[int]]:
    """Return the query for the numbers in the parameter `name`, as what a column is compared with by `in_`."""
    elements = JsonElements(bindparam(name)).table_valued("value", name=f"{name}_wanted")
    return select(JsonNumber(elements.c.value))


def texts(name: str) -> Select[tuple[str]]:
    """Return the query for the texts in the parameter `name`, as what a column is compared with by `in_`."""
    elements = JsonElements(bindparam(name)).table_valued("value", name=f"{name}_wanted")
    return select(JsonText(elements.c.value))


def pairs(name: str) -> tuple[TableValuedAlias, ColumnElement[int], ColumnElement[int]]:
    """Return the pairs of numbers in the parameter `name` as a table to join, and its two columns.

    To be joined, not compared: SQLite finds no index for a pair in a list of pairs.
    """
    elements, (first, second) = _tuples(name, 2)
    return elements, first, second


def triples(name: str) -> tuple[TableValuedAlias, ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    """Return the triples of numbers in the parameter `name` as a table to join, and its three columns."""
    elements, (first, second, third) = _tuples(name, 3)
    return elements, first, second, third


def _tuples(name: str, size: int) -> tuple[TableValuedAlias, list[ColumnElement[int]]]:
    elements = JsonElements(bindparam(name)).table_valued("value", name=f"{name}_wanted")
    return elements, [JsonNumber(elements.c.value, literal_column(str(place))) for place in range(size)]


def listed(keys: Collection[Any]) -> str:
    """Return what the parameter has to be, for numbers, texts, pairs or triples of numbers.

    A text with a NUL in it is left out, and so not found: SQLite would read it up to there, and find another.

    >>> listed({(1, 2): "one", (3, 4): "another"})
    '[[1,2],[3,4]]'
    """
    return _encode([key for key in keys if not (isinstance(key, str) and "\0" in key)]).decode()


@compiles(JsonElements)
def _elements(element: JsonElements, compiler: Any, **options: Any) -> str:
    (array,) = _processed(element, compiler, options)
    return f"json_each({array})"


@compiles(JsonElements, "postgresql")
def _elements_in_postgresql(element: JsonElements, compiler: Any, **options: Any) -> str:
    (array,) = _processed(element, compiler, options)
    return f"jsonb_array_elements(CAST({array} AS JSONB))"


@compiles(JsonText)
def _text(element: JsonText, compiler: Any, **options: Any) -> str:
    (value,) = _processed(element, compiler, options)
    return value


@compiles(JsonText, "postgresql")
def _text_in_postgresql(element: JsonText, compiler: Any, **options: Any) -> str:
    (value,) = _processed(element, compiler, options)
    return f"{value} #>> '{{}}'"


@compiles(JsonNumber)
def _number(element: JsonNumber, compiler: Any, **options: Any) -> str:
    value, *place = _processed(element, compiler, options)
    return f"json_extract({value}, '$[{place[0]}]')" if place else value


@compiles(JsonNumber, "postgresql")
def _number_in_postgresql(element: JsonNumber, compiler: Any, **options: Any) -> str:
    return f"CAST({' -> '.join(_processed(element, compiler, options))} AS BIGINT)"


def _processed(element: GenericFunction[Any], compiler: Any, options: dict[str, Any]) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]
