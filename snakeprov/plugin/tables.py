"""Arrays and tables of numpy, pandas and polars: what is in small ones, and all of a larger one as JSON for its digest.

Imports none of these libraries: where one is not loaded, no value is of it.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any, Final

ELEMENTS_MAX: Final = 100
"""Elements of an array or cells of a table up to which its content is written."""

BUFFER_BYTES_MAX: Final = 16 * 1024 * 1024
"""Numbers are digested up to this size, in some 10 ms; Snakemake's own digest of such a table takes 5 to 20 times as
long."""


VALUES_MAX: Final = 20_000
"""Maximum number of values that are not numbers; they are digested one by one (about 10 ms)."""

COLUMNS_MAX: Final = 200
"""Columns of a table that are digested."""


class TooLargeError(Exception):
    """A value would take too long to digest."""


class NotComparableError(Exception):
    """A value does not tell what is in it."""


def is_scalar(kind: type) -> bool:
    """Return whether a class is one of numpy's numbers, dates or texts."""
    return _is_a(kind, "numpy", "generic")


def is_array(kind: type) -> bool:
    """Return whether a class is an array or one column of a table."""
    return (
        _is_a(kind, "numpy", "ndarray")
        or _is_a(kind, "pandas", "Series")
        or _is_a(kind, "pandas", "Index")
        or _is_a(kind, "polars", "Series")
    )


def is_table(kind: type) -> bool:
    """Return whether a class is a table."""
    return _is_a(kind, "pandas", "DataFrame") or _is_a(kind, "polars", "DataFrame")


def is_missing(value: object) -> bool:
    """Return whether a value is pandas' mark of a missing value, which has no other form."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and value is getattr(pandas, "NA", pandas)


def small(value: Any) -> Any:
    """Return the content of an array or table that has few elements and loses nothing as list or dict; else None."""
    kind = type(value)
    if _is_a(kind, "numpy", "ndarray"):
        return value.tolist() if value.size <= ELEMENTS_MAX else None
    if _is_a(kind, "polars", "DataFrame"):
        return value.to_dict(as_series=False) if value.height * value.width <= ELEMENTS_MAX else None
    if _is_a(kind, "polars", "Series"):
        return value.to_list() if value.len() <= ELEMENTS_MAX else None
    if value.size > ELEMENTS_MAX:
        return None
    if _is_a(kind, "pandas", "Index"):
        return value.tolist()
    if _is_a(type(value.index), "pandas", "RangeIndex") and (value.index.start, value.index.step) == (0, 1):
        if not is_table(kind):
            return value.tolist()
        if value.columns.is_unique:
            return value.to_dict("list")
    axes = (value.index, value.columns) if is_table(kind) else (value.index,)
    return value.to_dict() if all(axis.is_unique for axis in axes) else None


def description(value: Any, name: str) -> str:
    """Return what stands in the place of the content of a larger array or table."""
    if is_table(type(value)):
        columns = ", ".join(repr(column) for column in list(value.columns)[:ELEMENTS_MAX])
        return f"<{name} of shape {value.shape}, columns [{columns}]>"
    return f"<{name} of shape {value.shape}, dtype {value.dtype}>"


def whole(value: Any) -> Any:
    """Return all that an array or a table consists of in plain Python; numbers as the digest of their bytes.

    Raises:
        TooLargeError: It is larger than the bounds of this module.
        NotComparableError: The bytes of this kind are not available, or lie on disk.
    """
    kind = type(value)
    if is_table(kind):
        if value.shape[1] > COLUMNS_MAX:
            raise TooLargeError
        columns = [value[name] for name in value.columns] if _is_a(kind, "polars", "DataFrame") else _columns(value)
        _refuse_large(columns)
        named = [{_text(name): _column(column)} for name, column in zip(value.columns, columns, strict=True)]
        return {"columns": named, "index": _column(value.index)} if hasattr(value, "index") else {"columns": named}
    _refuse_large([value])
    if _is_a(kind, "pandas", "Series"):
        return {"name": _text(value.name), "values": _column(value), "index": _column(value.index)}
    return {"values": _column(value), "shape": list(value.shape)}


def _columns(table: Any) -> list[Any]:
    """Return the columns of a table of pandas by their position: names may occur twice."""
    return [table.iloc[:, position] for position in range(table.shape[1])]


def _refuse_large(columns: list[Any]) -> None:
    # The size of polars' columns is a method; what has no size in bytes is bounded by the number of its values.
    if sum(size for one in columns if isinstance(size := getattr(one, "nbytes", 0), int)) > BUFFER_BYTES_MAX:
        raise TooLargeError


def _column(column: Any) -> Any:
    if _is_a(type(column), "pandas", "RangeIndex"):
        return [column.start, column.stop, column.step]
    numpy = sys.modules.get("numpy")
    values = column
    if numpy is not None and isinstance(getattr(column, "dtype", None), numpy.dtype):
        if _is_a(type(column), "pandas", "Series") or _is_a(type(column), "pandas", "Index"):
            values = column.to_numpy()
        if type(values) is not numpy.ndarray:  # masked values, or a file mapped into memory
            raise NotComparableError
        if values.dtype.kind in "biufcmM":
            return [str(values.dtype), *_digest(numpy, values)]
    if (column.size if hasattr(column, "size") else column.len()) > VALUES_MAX:
        raise TooLargeError
    return [str(column.dtype), column.tolist() if hasattr(column, "tolist") else column.to_list()]


def _digest(numpy: Any, values: Any) -> bytes:
    """Return the digest of numbers; whatever bits stand for "not a number", they mean the same."""
    if values.dtype.kind == "f" and (missing := numpy.isnan(values)).any():
        values = numpy.where(missing, values.dtype.type("nan"), values)
    return hashlib.sha256(numpy.ascontiguousarray(values).reshape(-1).view("u1")).digest()


def _text(name: object) -> str:
    return name if isinstance(name, str) else repr(name)


def _is_a(kind: type, library: str, name: str) -> bool:
    found = getattr(sys.modules.get(library), name, None)
    return isinstance(found, type) and issubclass(kind, found)
