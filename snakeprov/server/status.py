"""/snakeprov/v1 and /snakeprov/v1/status: what this server is, and how much it holds.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov import __version__
from snakeprov.db import filehandles, lookup, tables
from snakeprov.model.answers import About, Status
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.batch import REQUESTS_MAX
from snakeprov.server.call import Call
from snakeprov.server.services import Services

service = Services("The server")

API_VERSION = 1


@service("GET", ("/", "/repo/v1", "/file/v1", "/auth/v1"))
def greet(call: Call) -> synapse.Nothing:
    """Says that somebody answers."""
    return synapse.Nothing()


@service("GET", "/snakeprov/v1")
def about(call: Call) -> About:
    """What answers here."""
    return About(
        name="snakeprov",
        version=__version__,
        api_version=API_VERSION,
        local_files=call.server.local_files,
        max_batch_requests=REQUESTS_MAX,
    )


@service("GET", "/snakeprov/v1/status")
def read(call: Call) -> Status:
    """How much the store holds of what the user may see."""
    database = call.server.database
    return Status(
        **lookup.counts(call.tx, reader=call.user.reader)._asdict(),
        stored_bytes=filehandles.stored_bytes(call.tx, reader=call.user.reader),
        schema_version=tables.SCHEMA_REVISION,
        journal_mode=database.journal_mode,
        notes=[database.note] if database.note else [],
    )
