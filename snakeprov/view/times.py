"""Times and durations in words."""

from __future__ import annotations

from datetime import datetime, tzinfo

_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S
_UNITS = (
    (365 * _DAY_S, "year", "y"),
    (30 * _DAY_S, "month", "mo"),
    (7 * _DAY_S, "week", "w"),
    (_DAY_S, "day", "d"),
    (_HOUR_S, "hour", "h"),
    (_MINUTE_S, "minute", "min"),
    (1, "second", "s"),
)
_JUST_NOW_S = 2
_CLOCK_SKEW_S = 60
"""A moment this little in the future counts as now: two machines' clocks differ."""


def parse(text: str | None) -> datetime | None:
    """Return the moment that an RFC 3339 text names; None where it names none.

    >>> parse("2026-11-22T02:24:37.123Z").year, parse("soon"), parse(None)
    (2026, None, None)
    """
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def relative(moment: datetime, now: datetime) -> str:
    """Return how long ago `moment` was, in its largest whole unit.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 11, 22, tzinfo=UTC)
    >>> relative(now - timedelta(seconds=200), now), relative(now - timedelta(days=1), now), relative(now, now)
    ('3 minutes ago', '1 day ago', 'just now')
    """
    seconds = (now - moment).total_seconds()
    if seconds < -_CLOCK_SKEW_S:
        return "in the future"
    if seconds < _JUST_NOW_S:
        return "just now"
    count, name, _ = _largest(seconds)
    return f"{count} {name}{'' if count == 1 else 's'} ago"


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago `moment` was, as short as a column of a table needs it; "now" for the last two seconds.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 11, 22, tzinfo=UTC)
    >>> age(now - timedelta(seconds=200), now), age(now - timedelta(days=40), now), age(now, now)
    ('3 min', '1 mo', 'now')
    """
    seconds = (now - moment).total_seconds()
    if seconds < _JUST_NOW_S:
        return "now" if seconds >= -_CLOCK_SKEW_S else "in the future"
    count, _, unit = _largest(seconds)
    return f"{count} {unit}"


def _largest(seconds: float) -> tuple[int, str, str]:
    """Return a span of a second or more in its largest whole unit: the count, its name, its sign."""
    unit_s, name, sign = next(one for one in _UNITS if seconds >= one[0])
    return int(seconds // unit_s), name, sign


def absolute(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return `moment` to the second in `zone` (None: the machine's own), with the offset from UTC.

    >>> from datetime import UTC
    >>> absolute(datetime(2026, 11, 22, 2, 24, 37, tzinfo=UTC), UTC)
    '2026-11-22 02:24:37 +00:00'
    """
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds").replace("+", " +")


def duration(seconds: float) -> str:
    """Return a span of time with the precision that matters at its size.

    >>> duration(0.042), duration(7.25), duration(200), duration(7_500), duration(100_000)
    ('0.04 s', '7.2 s', '3 min 20 s', '2 h 05 min', '1 d 3 h')
    """
    if seconds < 1:
        return f"{max(seconds, 0):.2f} s"
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02d} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02d} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def between(start: datetime | None, end: datetime | None) -> str:
    """Return the span from `start` to `end`, or an empty text where either is unknown."""
    span = seconds(start, end)
    return "" if span is None else duration(span)


def seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Return the span from `start` to `end` in seconds, or None where either is unknown."""
    return (end - start).total_seconds() if start and end else None
