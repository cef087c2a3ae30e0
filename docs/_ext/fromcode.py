"""Reference pages from the code: `{fromcode} settings` puts the table of settings where it stands in a page."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import click
import msgspec
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx_click.ext import ClickDirective

import snakeprov.view
from snakeprov import errors, settings
from snakeprov.db import tables
from snakeprov.server import reference
from snakeprov.view.documents import Document


def attributes_of(docstring: str | None) -> dict[str, str]:
    """Return what a Google docstring says of each attribute, by name."""
    lines = inspect.cleandoc(docstring or "").partition("Attributes:\n")[2].splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        if start := re.match(r"    (\w+): (.*)", line):
            name = start[1]
            found[name] = start[2]
        elif line.startswith("        "):
            found[name] += f" {line.strip()}"
        elif line.strip():
            break
    return found


def settings_table() -> Iterator[str]:
    """Yield the settings: name, default, meaning."""
    about = attributes_of(settings.Settings.__doc__)
    defaults = settings.Settings()
    yield "| setting | default | meaning |"
    yield "|---|---|---|"
    for name in settings.Settings.__struct_fields__:
        if name != "origins":
            yield f"| `{name}` | {_default(name, getattr(defaults, name))} | {about[name]} |"


def _default(name: str, value: object) -> str:
    if value in (None, ()):
        return "none"
    if name == "keep_bytes_max" and isinstance(value, int):
        return f"`{value // 1_000_000}MB`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{str(value).lower()}`"


def exit_statuses() -> Iterator[str]:
    """Yield the exit statuses of the commands, with the errors that have them."""
    yield "| status | error | meaning |"
    yield "|---|---|---|"
    yield "| 0 | | success |"
    for status, error in sorted({(one.exit_status, one.__name__): one for one in _errors()}.items()):
        meaning = inspect.cleandoc(error.__doc__ or "").splitlines()[0].rstrip(".")
        yield f"| {status[0]} | `{error.__name__}` | {meaning} |"
    yield "| 4 | | `verify`: some files differ from their record |"


def _errors(base: type[errors.SnakeprovError] = errors.SnakeprovError) -> Iterator[type[errors.SnakeprovError]]:
    yield base
    for error in base.__subclasses__():
        if error.__module__ == errors.__name__:
            yield from _errors(error)


def json_shapes() -> Iterator[str]:
    """Yield what the commands print with `--json`, one section for each type."""
    for module in pkgutil.iter_modules(snakeprov.view.__path__):
        importlib.import_module(f"snakeprov.view.{module.name}")
    found = {one.__name__: one for one in _documents() if not one.__name__.startswith("_")}
    _, components = msgspec.json.schema_components(found.values(), ref_template="#/{name}")
    first = [name for name in found if name in components]
    rest = sorted(name for name in components if name not in found)
    for name in [*first, *rest]:
        yield from reference.type_section(name, components[name])


def _documents(base: type[Any] = Document) -> Iterator[type[Any]]:
    for document in base.__subclasses__():
        yield document
        yield from _documents(document)


def database_tables() -> Iterator[str]:
    """Yield the tables of a store, each with its columns."""
    yield "| table | columns |"
    yield "|---|---|"
    for table in tables.metadata.sorted_tables:
        columns = ", ".join(f"`{column.name}`" for column in table.columns)
        yield f"| `{table.name}` | {columns} |"


class FromCode(SphinxDirective):
    """Puts Markdown that is made from the code where it stands."""

    required_arguments = 1
    makers: ClassVar[dict[str, Callable[[], Iterator[str]]]] = {
        "settings": settings_table,
        "exit-statuses": exit_statuses,
        "json": json_shapes,
        "tables": database_tables,
    }

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.makers[self.arguments[0]]())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Usage(ClickDirective):
    """The help of a command, under the heading that the page gives it."""

    def run(self) -> list[nodes.Node]:
        (section,) = super().run()
        below = section.children[1:]
        return [one for one in below if not (isinstance(one, nodes.rubric) and one.astext() == "Usage")]


def keep_tree(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show the tree of errors as it is drawn in the module's docstring."""
    if name == errors.__name__:
        lines[1:] = ["", "::", "", *(f"    {line}" for line in lines[1:])]


def show_examples(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Show the examples below a command's help as they are printed."""
    examples = (context.command.epilog or "").partition("Examples:\n")[2]
    if examples:
        lines[:] = [
            ".. rubric:: Examples",
            "",
            ".. code-block:: text",
            "",
            *(f" {one}" for one in examples.split("\n")),
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.connect("sphinx-click-process-epilog", show_examples)
    app.connect("autodoc-process-docstring", keep_tree)
    app.add_directive("fromcode", FromCode)
    app.add_directive("click", Usage, override=True)
    return {"parallel_read_safe": True}
