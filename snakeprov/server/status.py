"""/snakeprov/v1 and /snakeprov/v1/status: what this server is, and how much it holds.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov import __version__
from snakeprov.db import filehandles, lookup, tables
from snakeprov.model.answers import About, Status
from snakeprov.server.batch import REQUESTS_MAX
from snakeprov.server.call import Answer, Call

API_VERSION = 1


def greet(call: Call) -> Answer:
    """GET /, /repo/v1, /file/v1, /auth/v1: a client looks whether somebody answers."""
    return 200, {}


def about(call: Call) -> Answer:
    """GET /snakeprov/v1."""
    return 200, About(
        name="snakeprov",
        version=__version__,
        api_version=API_VERSION,
        local_files=call.service.local_files,
        max_batch_requests=REQUESTS_MAX,
    )


def read(call: Call) -> Answer:
    """GET /status: counted is only what the user may see."""
    database = call.service.database
    return 200, Status(
        **lookup.counts(call.tx, reader=call.user.reader)._asdict(),
        stored_bytes=filehandles.stored_bytes(call.tx, reader=call.user.reader),
        schema_version=tables.SCHEMA_REVISION,
        journal_mode=database.journal_mode,
        notes=[database.note] if database.note else [],
    )
