"""What `export` prints about what it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from snakeprov.view import text
from snakeprov.view.documents import ExportDocument
from snakeprov.view.text import Screen, compose, counted, say

_NAMES = {"ro-crate": "RO-Crate", "prov-json": "PROV-JSON", "prov-n": "PROV-N", "prov-xml": "PROV-XML"}

MISSING_SHOWN_MAX = 10
"""More unavailable files than this are only counted."""


def export(told: ExportDocument, screen: Screen) -> Iterator[str]:
    """Yield the lines that `export` prints."""
    screen = screen._replace(width=None)
    form = _NAMES.get(told.format, "Turtle")
    profile = f" ({told.profile} run)" if told.profile else ""
    jobs, files = counted(told.jobs, "job"), counted(told.files, "file")
    line = f"Exported {told.title} with {jobs} and {files} as {form}{profile} to {told.output}."
    yield compose([say(line)], screen)
    if told.profile:
        included = counted(told.files_included, "file")
        line = f"It holds {included} ({text.size(told.size_bytes)}); in it, 'sha256sum --check SHA256SUMS' checks them."
        yield compose([say(line)], screen)
    if told.sha256:
        yield compose([say(f"sha256 {told.sha256}", "faint")], screen)
    missing = told.missing
    if missing:
        names = ", ".join(missing[:MISSING_SHOWN_MAX])
        more = f" and {len(missing) - MISSING_SHOWN_MAX} more" if len(missing) > MISSING_SHOWN_MAX else ""
        lacking = "are not kept, or you may not download them; it refers to them by digest"
        yield compose([say(f"Not in it, because their bytes {lacking}: {names}{more}.", "bad")], screen)
