"""From values to HTML: templates that escape everything, and the filters that show our own types.

A recorded name, value or content is other people's text: whatever reaches a template becomes text in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape

from snakeprov.view import text, times
from snakeprov.view.text import Piece, Screen
from snakeprov.web import highlight, urls

NAME_CHARACTERS_MAX: Final = 300
"""Of a longer name the end is shown."""

BLOCK_CHARACTERS_MAX: Final = 20_000
"""What is shown of a command, an error or a log."""

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

_STATUS_MARKS: Final = {
    "success": "✓",
    "cached": "✓",
    "failed": "✗",
    "interrupted": "✗",
    "running": "▸",
    "retried": "↻",
}


def screen() -> Screen:
    """Return where the words of `snakeprov.view` are shown: as wide as they like, now, in UTC."""
    return Screen(now=datetime.now(UTC), zone=UTC)


def page(template: str, **values: Any) -> bytes:
    """Return a page."""
    return _environment().get_template(template).render(now=datetime.now(UTC), **values).encode()


@lru_cache
def static(name: str) -> tuple[bytes, str] | None:
    """Return a file that pages load and its content type, or None if there is none of that name."""
    file = resources.files("snakeprov.web").joinpath("static", name)
    suffix = name[name.rfind(".") :]
    if "/" in name or suffix not in _TYPES or not file.is_file():
        return None
    content = file.read_text(encoding="utf-8")
    if suffix == ".css":
        drawing = resources.files("snakeprov.view").joinpath("static", "drawing.css").read_text(encoding="utf-8")
        content += drawing + highlight.stylesheet()
    return content.encode(), f"{_TYPES[suffix]}; charset=utf-8"


@lru_cache
def assets() -> str:
    """Return what tells these static files from those of other versions."""
    digest = hashlib.sha256()
    for name in ("style.css", "page.js"):
        found = static(name)
        assert found is not None  # noqa: S101  they are in the package
        digest.update(found[0])
    return digest.hexdigest()[:12]


@lru_cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("snakeprov.web"),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(urls=urls, assets=assets())
    environment.filters.update(
        ago=ago,
        block=block,
        counted=text.counted,
        number=text.number,
        duration=times.duration,
        pieces=pieces,
        short=short,
        short_id=text.short_id,
        size=text.size,
        status=status,
        value=value,
        when=when,
        wildcards=text.wildcards,
    )
    return environment


def _shown(shown: Any) -> Any:
    """Return a value as a template writes it; characters that act on a reader's screen are shown as escapes."""
    if shown is None:
        return ""
    return text.say(shown).text if isinstance(shown, str) and not isinstance(shown, Markup) else shown


def short(name: str | None) -> str:
    """Return a name, of a very long one the end."""
    return text.shorten((name or "")[-2 * NAME_CHARACTERS_MAX :], NAME_CHARACTERS_MAX, keep="end")


def block(whole: str | None) -> Markup:
    """Return lines as they are, made safe, of very many the last."""
    kept = (whole or "").strip("\n")
    cut = "\u2026\n" if len(kept) > BLOCK_CHARACTERS_MAX else ""
    return escape(cut + safe_lines(kept[-BLOCK_CHARACTERS_MAX:]))


def safe_lines(whole: str) -> str:
    """Return lines in which no character acts on a reader's screen."""
    return "\n".join(text.say(line.rstrip("\r")).text for line in whole.expandtabs(4).split("\n"))


def pieces(line: Iterable[Piece]) -> Markup:
    """Return a line of a screen with the roles of its pieces as classes."""
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(piece.role, piece.text) if piece.role else escape(piece.text)
        for piece in line
    )


def value(shown: Any) -> str:
    """Return the value of a param as the command line shows it."""
    from snakeprov.view.story import shown_value

    return shown_value(shown)


def when(moment: datetime | str | None) -> Markup:
    """Return a moment to the minute; to the second where one asks for it."""
    parsed = times.parse(moment) if isinstance(moment, str) else moment
    return Markup("") if parsed is None else _time(parsed, parsed.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"))


def ago(moment: datetime | str | None) -> Markup:
    """Return how long ago a moment was; the moment itself where one asks for it."""
    parsed = times.parse(moment) if isinstance(moment, str) else moment
    return Markup("") if parsed is None else _time(parsed, times.relative(parsed, datetime.now(UTC)))


def _time(moment: datetime, shown: str) -> Markup:
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(utc.isoformat(), times.absolute(utc, UTC), shown)


def status(name: str | None) -> Markup:
    """Return the state of a job or a run as a mark and a word."""
    role = "good" if name in ("success", "cached") else "bad" if name in ("failed", "interrupted") else "plain"
    mark = _STATUS_MARKS.get(name or "", "·")
    return Markup('<span class="status {}"><span aria-hidden="true">{}</span> {}</span>').format(
        role, mark, name or "unknown"
    )
