"""Times: aware UTC datetimes inside, RFC 3339 on the wire."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


def to_wire(moment: datetime) -> str:
    """Return `moment` as Synapse writes it: UTC, milliseconds, `Z`.

    >>> to_wire(datetime(2026, 11, 22, 2, 24, 37, 123456, tzinfo=UTC))
    '2026-11-22T02:24:37.123Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_wire(text: str) -> datetime:
    """Return the moment that an RFC 3339 `text` names.

    Raises:
        ValueError: `text` is not a date and time with a zone.

    >>> from_wire("2026-11-22T02:24:37.123Z").microsecond
    123000
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment


def from_ms(epoch_ms: int) -> datetime:
    """Return the moment `epoch_ms` milliseconds after 1970, UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Return `moment` as whole milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
