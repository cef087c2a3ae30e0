"""Colours for code and differences, as classes: pages have no styles of their own."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup, escape
from pygments import highlight as highlighted  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # type: ignore[import-untyped]
from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

CODE_CHARACTERS_MAX: Final = 200_000
"""Longer texts are shown without colours."""

_PREFIX: Final = "hl-"
LIGHT: Final = "default"
DARK: Final = "github-dark"
"""The styles of Pygments, for light and for dark screens."""

_SNAKEFILES: Final = (".smk", ".snakefile")


def code(content: str, *, name: str = "", language: str = "") -> Markup:
    """Return code in colours.

    Args:
        content: The code, made safe to show: no characters in it act on a reader's screen.
        name: Name of the file, which tells the language.
        language: The language, where no file does.
    """
    if len(content) > CODE_CHARACTERS_MAX:
        return escape(content)
    formatter = HtmlFormatter(nowrap=True, classprefix=_PREFIX)
    return Markup(highlighted(content, _lexer(name, language), formatter).rstrip("\n"))  # noqa: S704  Pygments escapes


def stylesheet() -> str:
    """Return the colours, for light and for dark screens."""
    light = HtmlFormatter(style=LIGHT, classprefix=_PREFIX).get_style_defs(".code")
    dark = HtmlFormatter(style=DARK, classprefix=_PREFIX).get_style_defs(".code")
    return f"\n{_own(light)}\n@media (prefers-color-scheme: dark) {{\n{_own(dark)}\n}}\n"


def _own(rules: str) -> str:
    """Return only the rules of our own classes: without backgrounds and line numbers."""
    return "\n".join(rule for rule in rules.splitlines() if rule.startswith(f".code .{_PREFIX}"))


def _lexer(name: str, language: str) -> Lexer:
    base = name.rstrip("/").rpartition("/")[2]
    if base == "Snakefile" or base.lower().endswith(_SNAKEFILES):
        language = "python"
    try:
        found: Lexer = get_lexer_by_name(language) if language else get_lexer_for_filename(base)
    except ClassNotFound:
        return TextLexer(stripnl=False)
    found.stripnl = False
    return found
