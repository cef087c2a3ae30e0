"""Statements built with SQLAlchemy Core once, compiled once for a database, and run straight on its driver.

Must not know: tables or what the statements are for.

Running a Core statement through SQLAlchemy costs about ten times what the driver needs for it, and the recording of
a job is a dozen statements. So what every job needs is a `Query` or a `Command`; everything else is plain Core.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import Table, bindparam, insert
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.expression import ClauseElement, Select

R = TypeVar("R", bound=NamedTuple)
Parameters = Mapping[str, Any]


class _Compiled(NamedTuple):
    text: str
    constants: dict[str, Any]


class _Statement:
    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
        self._compiled: dict[str, _Compiled] = {}

    def bound(self, dialect: Dialect, parameters: Parameters) -> tuple[str, Parameters]:
        """Return the SQL for a database, and the values of its named parameters."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled.text, {**compiled.constants, **parameters} if compiled.constants else parameters

    def _compile(self, dialect: Dialect) -> _Compiled:
        # SQLAlchemy makes a parameter of every constant in a statement.
        compiled = cast(SQLCompiler, self._clause.compile(dialect=dialect))
        constants = {name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required}
        return _Compiled(str(compiled), constants)


class Query(_Statement, Generic[R]):
    """A SELECT whose columns are the fields of the named tuple `row`, in the same order."""

    def __init__(self, select: Select[Any], row: type[R]) -> None:
        super().__init__(select)
        names = tuple(select.selected_columns.keys())
        if names != row._fields:
            raise TypeError(f"{row.__name__} has the fields {row._fields}, its query the columns {names}.")
        self.make: Any = row._make


class Command(_Statement):
    """An INSERT, UPDATE or DELETE."""


def insert_into(table: Table, *, but: Iterable[str] = ()) -> Command:
    """Return the INSERT that takes one parameter for every column except those in `but`."""
    left_out = set(but)
    return Command(insert(table).values({c.name: bindparam(c.name) for c in table.columns if c.name not in left_out}))
