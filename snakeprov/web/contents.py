"""A content by its digest: every place that has it."""

from __future__ import annotations

from typing import Final

from snakeprov.errors import BadRequestError
from snakeprov.view import text
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

PLACES_MAX: Final = 500


def show(visit: Visit, digest: str, algorithm: str | None) -> Response:
    """Return every version that has a content."""
    algorithm = algorithm or "sha256"
    try:
        found = visit.client.provenance.with_digest(algorithm, digest.lower(), limit=PLACES_MAX)
    except BadRequestError as error:
        return visit.unknown(error.reason)
    if not found.results:
        said = f"No version has the digest {algorithm}:{digest[:64]}."
        return visit.unknown(said, hint="Not every md5 is known." if algorithm == "md5" else "")
    contents = {getattr(one, algorithm) for one in found.results}
    what = "this content" if len(contents) == 1 else f"one of {text.counted(len(contents), 'content')}"
    return visit.page(
        "content.html",
        title=f"Content {digest[:12]}",
        algorithm=algorithm,
        digest=next(iter(contents)) if len(contents) == 1 else digest,
        sentence=f"{text.counted(len(found.results), 'version has', 'versions have')} {what}"
        f"{', and more' if found.next else ''}.",
        results=found.results,
    )
