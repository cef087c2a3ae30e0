"""Build statements with SQLAlchemy Core, compile each once per database, and run them directly on its driver.

Running a Core statement through SQLAlchemy costs about ten times what the driver needs for it, and the recording of
a job is a dozen statements. So what every job needs is a `Query` or a `Command`; everything else is plain Core.
Whatever writes a row is made here, so that no row is without its checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import ColumnElement, Table, Update, bindparam, insert, update
from sqlalchemy.sql.compiler import SQLCompiler

from snakeprov.db import checksums
from snakeprov.errors import CorruptStoreError

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
    """A SELECT whose columns are the fields of the named tuple `row`, in the same order.

    With `checked` the rows of that table are compared with their checksums; then `make` raises CorruptStoreError for
    one that is not what was written. It costs some microseconds a row.
    """

    def __init__(self, select: Select[Any], row: type[R], *, checked: Table | None = None) -> None:
        names = tuple(select.selected_columns.keys())
        if names != row._fields:
            raise TypeError(f"{row.__name__} has the fields {row._fields}, its query the columns {names}.")
        if checked is None:
            super().__init__(select)
            self.make: Any = row._make
            return
        super().__init__(select.add_columns(checked.c[checksums.NAME] == checksums.of_row(checked, {})))

        def make(values: Sequence[Any]) -> R:
            # Null where the database has no checksums.
            if values[-1] is not None and not values[-1]:
                raise CorruptStoreError(
                    f"The store is damaged: a row of the table {checked.name} does not fit its checksum.",
                    hint="'snakeprov fsck' tells which, and everything else that is damaged.",
                )
            return row._make(values[:-1])

        self.make = make


class Command(_Statement):
    """An INSERT, UPDATE or DELETE."""

    def complete(self, parameters: dict[str, Any]) -> None:
        """Add to the parameters those that follow from them."""


class _Insert(Command):
    """An INSERT into a table whose rows have a checksum."""

    def __init__(self, clause: ClauseElement, checksum: Callable[[Parameters], int]) -> None:
        super().__init__(clause)
        self._checksum = checksum

    def complete(self, parameters: dict[str, Any]) -> None:
        """Add the checksum of the row."""
        parameters[checksums.NAME] = self._checksum(parameters)


def insert_into(table: Table, *, but: Iterable[str] = ()) -> Command:
    """Return the INSERT that takes one parameter for every column except those in `but` and the checksum."""
    left_out = set(but)
    clause = insert(table).values({c.name: bindparam(c.name) for c in table.columns if c.name not in left_out})
    checksum = checksums.of_parameters(table)
    return Command(clause) if checksum is None else _Insert(clause, checksum)


def change(table: Table, *where: ColumnElement[bool], **values: Any) -> Update:
    """Return an UPDATE of the rows for which all of `where` holds, whose values can be SQL."""
    sealed = {checksums.NAME: checksums.of_row(table, values)} if checksums.covered(table) else {}
    return update(table).where(*where).values(**values, **sealed)
