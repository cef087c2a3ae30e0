"""The reference of the API as Markdown, from the same table and types as its OpenAPI description.

Must not know: what any resource does.

    python -m snakeprov.server.reference > docs/api.md
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator

from snakeprov.server import openapi
from snakeprov.server.openapi import Schema
from snakeprov.server.routes import all_services

_HEAD = """\
# The REST API

Generated from the code by `python -m snakeprov.server.reference`; a test keeps it up to date. The server describes the
same services as OpenAPI 3.1 at `/snakeprov/v1/openapi.json`.

`/repo/v1`, `/file/v1` and `/auth/v1` are Synapse's; everything that is snakeprov's own is under `/snakeprov/v1`.

* JSON in UTF-8, keys in camelCase; what is absent is left out. Keys that the server does not know are ignored.
* Ids of entities are `syn123`, and are taken as `123` too; all other ids are numbers as text.
* A refusal has the body `{"concreteType": "org.sagebionetworks.repo.model.ErrorResponse", "reason": "…"}` and one of:
  400 it makes no sense, 401 the token is not valid, 403 the user may not, 404 there is no such thing, 405 the method is
  not there, 409 a name or an id is taken, 412 the thing was changed since it was read, 413 the body is too long.
* `Authorization: Bearer TOKEN` says who asks. Without it only what is public can be seen.
* HEAD is answered wherever GET is.
* Synapse's lists take `limit` and `offset`. snakeprov's own take `limit` and `after`, which is the `next` of the page
  before; the last page has none. The first page says how long the list is, where that is counted.
* Whatever changes an entity or an activity under its `etag` is refused with 412 when that is no longer the latest.

Where the design of 2012, today's Synapse and this server differ, a paragraph says so, which begins with **Differs:**
"""

_WIDTH = 120


def markdown() -> str:
    """Return the reference."""
    services = all_services()
    document = openapi.document(services)
    contents, lines = [_HEAD, "## Contents\n"], []
    for section in dict.fromkeys(one.section for one in services):
        contents.append(f"* [{section}](#{_anchor(section)})")
        lines.append(f"## {section}\n")
        for one in services:
            if one.section == section:
                name = f"{one.method} {one.template}"
                contents.append(f"    * [{name}](#{_anchor(name)})")
                lines.extend(_service(name, document["paths"][one.template][one.method.lower()]))
    contents.append("* [Bodies](#bodies)\n")
    lines.append("## Bodies\n\nA `?` marks what can be left out.\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines.extend(type_section(name, schema))
    return "\n".join([*contents, *lines]).rstrip() + "\n"


def _service(name: str, operation: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    yield _wrapped(operation["summary"]) + "\n"
    query = [parameter for parameter in operation["parameters"] if parameter["in"] == "query"]
    if query:
        yield _item("query: " + ", ".join(map(_parameter, query)))
    if "requestBody" in operation:
        yield _item(f"body: {_content(operation['requestBody'])}")
    for status, answer in operation["responses"].items():
        if status.startswith(("2", "3")):
            yield _item(f"{status}: {_content(answer)}")
    yield ""
    for paragraph in operation.get("description", "").split("\n\n") if "description" in operation else ():
        yield _wrapped(re.sub(f"^{openapi.DIFFERS}", f"**{openapi.DIFFERS}**", paragraph)) + "\n"


def _parameter(parameter: Schema) -> str:
    schema = parameter["schema"]
    default = f", by default {json.dumps(schema['default'])}" if schema.get("default", False) is not False else ""
    return f"`{parameter['name']}`{'' if parameter['required'] else '?'} {_shape(schema)}{default}"


def _content(holder: Schema) -> str:
    content: Schema = holder.get("content", {})
    if "application/json" in content:
        return _shape(content["application/json"]["schema"])
    return "bytes" if "application/octet-stream" in content else "text" if content else "nothing"


def type_section(name: str, schema: Schema) -> Iterator[str]:
    """Yield the section of a type: its name, its description and its keys."""
    yield f"### {_plain(name)}\n"
    about = schema.get("description", "").split("\n\n")[0]
    if about:
        yield _wrapped(about) + "\n"
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        yield _item(f"`{key}`{'' if key in required else '?'} {_shape(value)}")
    yield ""


def _shape(schema: Schema) -> str:
    """Return the shape of a value in a few words."""
    if "$ref" in schema:
        name = _plain(schema["$ref"].rsplit("/", 1)[1])
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(_shape(item) for item in schema["anyOf"] if item != {"type": "null"})
    if "enum" in schema:
        return ", ".join(f"`{item}`" for item in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return f"list of {_shape(items)}" if isinstance(items, dict) else "list"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"map to {_shape(values)}" if isinstance(values, dict) and values else "object"
    if kind == "integer" and "minimum" in schema:
        return f"integer from {schema['minimum']}" + (f" to {schema['maximum']}" if "maximum" in schema else "")
    words = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false"}
    return words.get(str(kind), "anything")


def _plain(name: str) -> str:
    """Return the name of a type as a person reads it: `Page_Run_` is a `Page of Run`."""
    return " of ".join(name.rstrip("_").split("_"))


def _anchor(title: str) -> str:
    """Return what a heading is called in a link, by GitHub's rule."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _item(text: str) -> str:
    return _wrapped(f"* {text}", indent="  ")


def _wrapped(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    sys.stdout.write(markdown())
