"""Query parameters as values of the types that services declare.

A type of query parameters is a frozen msgspec.Struct of text, whole numbers with bounds, flags and choices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from snakeprov.server.refusals import bad_request, shown

T = TypeVar("T", bound=msgspec.Struct)

NUMBER_MAX = 2**63 - 1
"""The largest number a query or an id can hold."""

Number = Annotated[int, msgspec.Meta(ge=1)]
"""The number of a version."""

EntityId = Annotated[str, msgspec.Meta(pattern="^([sS][yY][nN])?[0-9]{1,18}$")]
"""The id of an entity; a handler that takes its number refuses any other text."""

_INTEGER = re.compile(r"-?[0-9]{1,18}")


class Query(msgspec.Struct, frozen=True, rename="camel"):
    """Query parameters of a service."""


class Paging(Query, frozen=True):
    """Which page of a list; a service says how long its pages are."""

    limit: Annotated[int, msgspec.Meta(ge=1)] = 10
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


def decoded(query: Mapping[str, str], type_: type[T]) -> T:
    """Return query parameters as a value of `type_`; those that it has not are ignored.

    Raises:
        Refusal: 400, one is missing, or is not what it should be.
    """
    readers, default = _readers(type_)
    if default is not None and not query:
        return cast(T, default)
    values: dict[str, Any] = {}
    for name, attribute, is_required, read in readers:
        text = query.get(name)
        if text is not None:
            values[attribute] = read(name, text)
        elif is_required:
            raise bad_request(f"The query parameter {name!r} is missing.")
    return type_(**values)


Reader = Callable[[str, str], Any]


@cache
def _readers(type_: type[msgspec.Struct]) -> tuple[list[tuple[str, str, bool, Reader]], msgspec.Struct | None]:
    """Return name, attribute, whether it is required, and how it is read, of each parameter; and the value of none."""
    fields = msgspec.structs.fields(type_)
    readers = [(one.encode_name, one.name, one.required, _reader(one.type)) for one in fields]
    return readers, None if any(one.required for one in fields) else type_()


def _reader(type_: Any) -> Reader:
    least, most = 0, NUMBER_MAX
    while get_origin(type_) in (Annotated, Union, UnionType):
        for meta in getattr(type_, "__metadata__", ()):
            least, most = meta.ge if meta.ge is not None else least, meta.le if meta.le is not None else most
        (type_,) = (one for one in get_args(type_)[:2] if one is not NoneType and not isinstance(one, msgspec.Meta))
    if get_origin(type_) is Literal:
        return partial(_choice, choices=get_args(type_))
    if type_ is int:
        return partial(_number, least=least, most=most)
    return _flag if type_ is bool else _text


def _number(name: str, text: str, *, least: int, most: int) -> int:
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        raise bad_request(f"{name}={shown(text)}: a whole number from {least} to {most} was expected.")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise bad_request(f"{name}={shown(text.lower())}: true or false was expected.")
    return text.lower() == "true"


def _choice(name: str, text: str, *, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise bad_request(f"{name}={shown(text)}: {', '.join(choices[:-1])} or {choices[-1]} was expected.")
    return text


def _text(name: str, text: str) -> str:
    return text
