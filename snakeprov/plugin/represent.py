"""Represents any Python value as JSON: bounded, deterministic, never an exception.

| value | becomes |
|---|---|
| None, bool, finite float, int of 64 bits, text | itself, text cut at `MAX_CHARACTERS` |
| NaN, infinities, larger int | text |
| dict, list, tuple, set | object or array; sets sorted; past the budget a last item says how many are missing |
| key of a dict that is not text | its form in angle brackets: `1` becomes `<1>`, and `"1"` stays |
| path, date, time, Decimal, UUID, Enum | its text |
| numpy scalar, small array, small table | its content; larger ones are described by type and shape |
| object with the `repr` that every object has | its class |
| anything else | its `repr`, cut |

What is cut off or only described carries the digest of the whole (see `snakeprov.model.shortened`), so that it can be
compared, or says why there is none: the whole is too large, or the value does not tell what is in it (a function, an
iterator). The cost is bounded by `_Effort` for each call.

Iterators and generators are never advanced, and neither numpy nor pandas is imported.
"""

from __future__ import annotations

import math
import os
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from snakeprov.model import shortened
from snakeprov.model.paths import to_text
from snakeprov.plugin import tables
from snakeprov.plugin.tables import NotComparableError, TooLargeError

MAX_DEPTH = 8
"""Containers nested deeper than this are described, not opened."""

MAX_VALUES = 5_000
"""Values that one call writes at most, containers included."""

MAX_CHARACTERS = 10_000
"""Characters of one text that are kept."""

WHOLE_DEPTH = 64
WHOLE_CHARACTERS = 1_000_000
"""What is nested deeper or longer than this is not digested, nor what has more than `tables.VALUES_MAX` values."""

Redact = Callable[[Any], Any]
"""Returns a value, as JSON has it, without secrets."""

_INT_BITS = 63
_INT_MIN, _INT_MAX = 1 - 2**_INT_BITS, 2**_INT_BITS - 1
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TEXTUAL = ("datetime", "decimal", "fractions", "uuid", "_pydatetime", "_pydecimal")
_HEAP_TYPE = 1 << 9
"""Flag of a class that was made while the program ran: by Python code, mostly."""

_CODE = ("function", "method", "builtin_function_or_method", "type")


def represent(value: object, *, budget: int = MAX_VALUES, redact: Redact = lambda whole: whole) -> Any:
    """Return `value` as None, bool, int, float, str, list and dict, at most `budget` of them.

    Args:
        value: Anything.
        budget: How many values are written at most.
        redact: Takes the secrets out of what is digested; the result of this function still has its own.

    >>> represent({"alpha": 0.5, "limits": (1, float("inf")), "seen": {"b", "a"}})
    {'alpha': 0.5, 'limits': [1, 'inf'], 'seen': ['a', 'b']}
    """
    kind = type(value)
    if kind is str and len(value) <= MAX_CHARACTERS:  # type: ignore[arg-type]
        return encodable(str.__str__(value))
    if value is None or kind is bool or (kind is int and _INT_MIN <= value <= _INT_MAX):
        return value
    return _Shown(budget, redact).write(value, depth=0)


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
    """Writes one value: what is left of its budget, and the containers it is inside of."""

    depth_max: int

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._inside: set[int] = set()

    # What becomes of a value that is not written whole

    def _text(self, text: str) -> str:
        """Write a text."""
        raise NotImplementedError

    def _rest(self, whole: Any, more: int) -> str:
        """Say that `more` items of `whole` are left out."""
        raise NotImplementedError

    def _described(self, description: str, opened: Callable[[], Any]) -> Any:
        """Describe a value; `opened` returns what is in it, or raises."""
        raise NotImplementedError

    def _closed(self, container: Any, kind: type) -> str:
        """Describe a container that is not opened."""
        raise NotImplementedError

    # Writing

    def write(self, value: object, *, depth: int) -> Any:
        self._left -= 1
        try:
            return self._scalar(value, depth)
        except (TooLargeError, NotComparableError):
            raise
        except Exception as error:  # the value's own code failed: say so in its place
            text = f"<{_name(type(value))}: not representable ({type(error).__name__})>"
            return self._described(text, _refuse)

    def _scalar(self, value: object, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if _is_enum(kind):
            return f"{kind.__name__}.{object.__getattribute__(value, '_name_')}"
        if issubclass(kind, str):
            return self._text(str.__str__(value))
        if issubclass(kind, int):
            number = int.__index__(value)  # type: ignore[arg-type]
            return number if number.bit_length() <= _INT_BITS else self._text(_large(number))
        if issubclass(kind, float):
            real = float.__float__(value)  # type: ignore[arg-type]
            return real if math.isfinite(real) else repr(real)
        if issubclass(kind, (dict, list, tuple, set, frozenset)):
            return self._container(value, kind, depth)
        if issubclass(kind, bytes | bytearray):
            whole = bytes(value)  # type: ignore[call-overload]
            if len(whole) <= WHOLE_CHARACTERS:
                return self._text(repr(whole))
            return self._described(f"<{_name(kind)} of {len(whole)}>", _give_up)
        if issubclass(kind, os.PathLike):
            return self._text(to_text(os.fspath(value)))  # type: ignore[call-overload]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user cannot act on a warning about our call
            return self._foreign(value, kind, depth)

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        if id(value) in self._inside:
            return "<itself>"
        if depth >= self.depth_max or self._left <= 0:
            return self._closed(value, kind)
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
                written[shortened.REST_KEY] = self._rest(value, dict.__len__(value) - done)
                break
            name = self._key(key, depth)
            while name in written:  # no two keys of a dict are one: an odd text looks like the form of something else
                name += "'"
            written[name] = self.write(item, depth=depth + 1)
        return written

    def _key(self, key: object, depth: int) -> str:
        written = self.write(key, depth=depth + 1)
        if issubclass(type(key), str):
            return str(written)
        # As Python has it, not JSON: `<None>`, `<True>`.
        return f"<{written}>"

    def _sequence(self, value: Any, kind: type, depth: int) -> list[Any]:
        base = list if issubclass(kind, list) else tuple
        written: list[Any] = []
        for item in base.__iter__(value):
            if self._left <= 0:
                written.append("… " + self._rest(value, base.__len__(value) - len(written)))
                break
            written.append(self.write(item, depth=depth + 1))
        return written

    def _set(self, value: Any, kind: type, depth: int) -> Any:
        base = set if issubclass(kind, set) else frozenset
        if base.__len__(value) > self._left:
            return self._closed(value, kind)
        return sorted((self.write(item, depth=depth + 1) for item in base.__iter__(value)), key=_order)

    def _foreign(self, value: Any, kind: type, depth: int) -> Any:
        """Write what neither Python nor this module can hold as itself."""
        if tables.is_scalar(kind):
            plain = value.item()
            return self._scalar(plain, depth) if not tables.is_scalar(type(plain)) else repr(value)
        if tables.is_array(kind) or tables.is_table(kind):
            content = tables.small(value)
            if content is not None:
                return self.write(content, depth=depth)
            return self._described(tables.description(value, _name(kind)), lambda: tables.whole(value))
        if tables.is_missing(value):
            return repr(value)
        if kind.__module__ in _TEXTUAL:
            return self._text(str(value))
        if kind.__name__ in _CODE:
            return self._code(value, kind)
        if type.__getattribute__(kind, "__repr__") is object.__repr__:
            return self._described(f"<{_name(kind)} object>", lambda: _state(value, kind))
        said = repr(value)
        text = _ADDRESS.sub("", said)
        # In angle brackets or with an ellipsis it is a description, not the value.
        is_whole = text == said and text[:1] != "<" and "..." not in text and "…" not in text
        return self._text(text) if is_whole else self._described(text, _refuse)

    def _code(self, value: Any, kind: type) -> str:
        text = f"<{kind.__name__} {value.__module__}.{value.__qualname__}>"
        library = str(value.__module__).partition(".")[0]
        return text if library in sys.stdlib_module_names else self._described(text, _refuse)


class _Shown(_Writer):
    """Writes a value as it is recorded: what is over the budget is left out, and the digest of the whole noted."""

    depth_max = MAX_DEPTH

    def __init__(self, budget: int, redact: Redact) -> None:
        super().__init__(budget)
        self._redact = redact
        self._effort = _Effort()

    def _text(self, text: str) -> str:
        if len(text) <= MAX_CHARACTERS:
            return encodable(text)
        note = self._note(lambda: text)
        return shortened.text(encodable(text[:MAX_CHARACTERS]), more=len(text) - MAX_CHARACTERS, note=note)

    def _rest(self, whole: Any, more: int) -> str:
        return shortened.rest(more, self._note(lambda: whole))

    def _closed(self, container: Any, kind: type) -> str:
        return self._described(f"<{_name(kind)} of {len(container)}>", lambda: container)

    def _described(self, description: str, opened: Callable[[], Any]) -> str:
        note = self._note(opened)
        if len(description) > MAX_CHARACTERS:
            description = encodable(description[:MAX_CHARACTERS]) + "…"
        return shortened.described(encodable(description), note)

    def _note(self, opened: Callable[[], Any]) -> str:
        """Return the digest of a whole value, or why there is none."""
        try:
            return shortened.digest_of(self._redact(_Whole(self._effort).write(opened(), depth=0)))
        except TooLargeError:
            return shortened.TOO_LARGE
        except Exception:  # the value's own code failed, or it does not tell what is in it
            return shortened.NOT_COMPARABLE


class _Whole(_Writer):
    """Writes all of a value, for its digest.

    Raises:
        TooLargeError: It would cost more than may still be spent.
        NotComparableError: A part of it does not tell what is in it.
    """

    depth_max = WHOLE_DEPTH

    def __init__(self, effort: _Effort) -> None:
        super().__init__(effort.values)
        self._effort = effort

    def write(self, value: object, *, depth: int) -> Any:
        self._spend(values=1)
        return super().write(value, depth=depth)

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        if len(value) > self._effort.values:
            raise TooLargeError
        return super()._container(value, kind, depth)

    def _sequence(self, value: Any, kind: type, depth: int) -> list[Any]:
        if set(map(type, value)) != {str}:
            return super()._sequence(value, kind, depth)
        # What most long lists are costs a fifth this way.
        self._spend(values=len(value), characters=sum(map(len, value)))
        return list(map(encodable, value))

    def _text(self, text: str) -> str:
        self._spend(characters=len(text))
        return encodable(text)

    def _spend(self, *, values: int = 0, characters: int = 0) -> None:
        self._effort.values -= values
        self._effort.characters -= characters
        if self._effort.values < 0 or self._effort.characters < 0:
            raise TooLargeError

    def _rest(self, whole: Any, more: int) -> str:
        raise TooLargeError

    def _closed(self, container: Any, kind: type) -> str:
        raise TooLargeError

    def _described(self, description: str, opened: Callable[[], Any]) -> Any:
        return [self._text(description), self.write(opened(), depth=0)]


class _Effort:
    """What the digests of one call of `represent` may still cost."""

    def __init__(self) -> None:
        self.values = tables.VALUES_MAX
        self.characters = WHOLE_CHARACTERS


def _refuse() -> NoReturn:
    raise NotComparableError


def _give_up() -> NoReturn:
    raise TooLargeError


def _state(value: object, kind: type) -> Any:
    """Return the attributes of an object that consists of nothing else."""
    for one in kind.__mro__[:-1]:
        is_of_python = one.__flags__ & _HEAP_TYPE and not one.__dict__.get("__slots__")
        if not is_of_python:
            raise NotComparableError
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        raise NotComparableError from None


def _is_enum(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _large(number: int) -> str:
    digits = number.bit_length() * 1233 // 4096
    return str(number) if digits < sys.int_info.str_digits_check_threshold else hex(number)


def _name(kind: type) -> str:
    name = type.__getattribute__(kind, "__qualname__")
    module = kind.__module__
    return encodable(name if module == "builtins" else f"{module}.{name}")


def _order(written: Any) -> tuple[str, str]:
    return type(written).__name__, repr(written)
