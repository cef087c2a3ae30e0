"""Any Python value as something that JSON can hold: bounded, deterministic, never an exception.

Must not know: where the value came from.

| value | becomes |
|---|---|
| None, bool, finite float, int of 64 bits, text | itself, text cut at `MAX_CHARACTERS` |
| NaN, infinities, larger int | text |
| dict, list, tuple, set | object or array; sets sorted; past the budget a last item says how many are missing |
| path, date, time, Decimal, UUID, Enum, function | its text |
| numpy scalar, small array, small table | its content; larger ones are described by type and shape |
| anything else | its `repr` without memory addresses, cut |

Iterators and generators are never advanced, and neither numpy nor pandas is imported.
"""

from __future__ import annotations

import math
import os
import re
import sys
from typing import Any

from snakeprov.model.paths import to_text

MAX_DEPTH = 8
"""Containers nested deeper than this are described, not opened."""

MAX_VALUES = 5_000
"""Values that one call writes at most, containers included."""

MAX_CHARACTERS = 10_000
"""Characters of one text that are kept."""

MAX_ELEMENTS = 100
"""Elements of an array or cells of a table up to which its content is written."""

_INT_BITS = 63
_INT_MIN, _INT_MAX = 1 - 2**_INT_BITS, 2**_INT_BITS - 1
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TEXTUAL = ("datetime", "decimal", "fractions", "uuid", "_pydatetime", "_pydecimal")


def represent(value: object, *, budget: int = MAX_VALUES) -> Any:
    """Return `value` as None, bool, int, float, str, list and dict, at most `budget` of them.

    >>> represent({"alpha": 0.5, "limits": (1, float("inf")), "seen": {"b", "a"}})
    {'alpha': 0.5, 'limits': [1, 'inf'], 'seen': ['a', 'b']}
    """
    kind = type(value)
    if kind is str:
        return cut(str.__str__(value), MAX_CHARACTERS)
    if value is None or kind is bool or (kind is int and _INT_MIN <= value <= _INT_MAX):
        return value
    return _Writer(budget).write(value, depth=0)


def encodable(text: str) -> str:
    """Return `text` unchanged, or with what UTF-8 cannot hold (lone surrogates) written as escapes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def cut(text: str, max_characters: int) -> str:
    """Return the beginning of `text`, encodable, saying how much was cut off."""
    if len(text) <= max_characters:
        return encodable(text)
    return f"{encodable(text[:max_characters])}… ({len(text) - max_characters} more characters)"


class _Writer:
    """One call of `represent`: what is left of its budget, and the containers it is inside of."""

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._inside: set[int] = set()

    def write(self, value: object, *, depth: int) -> Any:
        self._left -= 1
        try:
            return self._scalar(value, depth)
        except Exception as error:  # the value's own code failed: say so in its place
            return f"<{_name(type(value))}: not representable ({type(error).__name__})>"

    def _scalar(self, value: object, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if _is_enum(kind):
            return f"{kind.__name__}.{object.__getattribute__(value, '_name_')}"
        if issubclass(kind, str):
            return cut(str.__str__(value), MAX_CHARACTERS)
        if issubclass(kind, int):
            number = int.__index__(value)  # type: ignore[arg-type]
            return number if number.bit_length() <= _INT_BITS else _large(number)
        if issubclass(kind, float):
            real = float.__float__(value)  # type: ignore[arg-type]
            return real if math.isfinite(real) else repr(real)
        if issubclass(kind, (dict, list, tuple, set, frozenset)):
            return self._container(value, kind, depth)
        if issubclass(kind, bytes | bytearray):
            return cut(repr(bytes(value[:MAX_CHARACTERS])), MAX_CHARACTERS)  # type: ignore[index]
        if issubclass(kind, os.PathLike):
            return cut(to_text(os.fspath(value)), MAX_CHARACTERS)  # type: ignore[call-overload]
        return self._foreign(value, kind, depth)

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        if id(value) in self._inside:
            return "<itself>"
        if depth >= MAX_DEPTH or self._left <= 0:
            return f"<{_name(kind)} of {len(value)}>"
        self._inside.add(id(value))
        try:
            if issubclass(kind, dict):
                return self._mapping(value, depth)
            if issubclass(kind, (set, frozenset)):
                return self._set(value, kind, depth)
            return self._sequence(value, kind, depth)
        finally:
            self._inside.discard(id(value))

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for done, (key, item) in enumerate(dict.items(value)):
            if self._left <= 0:
                written["…"] = f"{dict.__len__(value) - done} more"
                break
            name = self.write(key, depth=depth + 1)
            written[name if isinstance(name, str) else str(name)] = self.write(item, depth=depth + 1)
        return written

    def _sequence(self, value: Any, kind: type, depth: int) -> list[Any]:
        base = list if issubclass(kind, list) else tuple
        written: list[Any] = []
        for item in base.__iter__(value):
            if self._left <= 0:
                written.append(f"… {base.__len__(value) - len(written)} more")
                break
            written.append(self.write(item, depth=depth + 1))
        return written

    def _set(self, value: Any, kind: type, depth: int) -> Any:
        base = set if issubclass(kind, set) else frozenset
        size = base.__len__(value)
        if size > self._left:
            return f"<{_name(kind)} of {size}>"
        return sorted((self.write(item, depth=depth + 1) for item in base.__iter__(value)), key=_order)

    def _foreign(self, value: Any, kind: type, depth: int) -> Any:
        """Write what neither Python nor this module can hold as itself."""
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy is not None and issubclass(kind, numpy.generic):
            plain = value.item()
            return self._scalar(plain, depth) if not issubclass(type(plain), numpy.generic) else repr(value)
        if numpy is not None and issubclass(kind, numpy.ndarray):
            if value.size <= MAX_ELEMENTS:
                return self.write(value.tolist(), depth=depth)
            return f"<{_name(kind)} of shape {value.shape}, dtype {value.dtype}>"
        if pandas is not None and issubclass(kind, (pandas.DataFrame, pandas.Series)):
            if value.size <= MAX_ELEMENTS:
                return self.write(value.to_dict(), depth=depth)
            columns = f", columns {list(value.columns[:MAX_ELEMENTS])}" if issubclass(kind, pandas.DataFrame) else ""
            return cut(f"<{_name(kind)} of shape {value.shape}{columns}>", MAX_CHARACTERS)
        if kind.__module__ in _TEXTUAL:
            return cut(str(value), MAX_CHARACTERS)
        if kind.__name__ in ("function", "method", "builtin_function_or_method", "type"):
            return cut(f"<{kind.__name__} {value.__module__}.{value.__qualname__}>", MAX_CHARACTERS)
        return cut(_ADDRESS.sub("", repr(value)), MAX_CHARACTERS)


def _is_enum(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _large(number: int) -> str:
    digits = number.bit_length() * 1233 // 4096
    return str(number) if digits < sys.int_info.str_digits_check_threshold else hex(number)[:MAX_CHARACTERS]


def _name(kind: type) -> str:
    name = type.__getattribute__(kind, "__qualname__")
    module = kind.__module__
    return encodable(name if module == "builtins" else f"{module}.{name}")


def _order(written: Any) -> tuple[str, str]:
    return type(written).__name__, repr(written)
