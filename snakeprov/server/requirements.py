"""What Synapse's clients ask about and snakeprov has not got: access requirements and wikis.

Must not know: any row but that of the entity they ask about.
"""

from __future__ import annotations

from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call
from snakeprov.server.entities import existing
from snakeprov.server.refusals import forbidden, not_found
from snakeprov.server.services import Services

service = Services("Access")


@service("GET", "/repo/v1/entity/{id}/accessRequirement")
def listing(call: Call) -> synapse.PaginatedResults[synapse.Nothing]:
    """Access requirements: always empty."""
    existing(call, call.entity_id())
    return synapse.PaginatedResults([], 0)


@service(
    "POST",
    "/repo/v1/entity/{id}/lockAccessRequirement",
    note="Synapse locks the entity until its staff has looked at it.",
)
def lock(call: Call) -> synapse.Nothing:
    """Refused: there are no access requirements, so nothing can be locked by one."""
    # To say yes and leave it open would be worse.
    row = existing(call, call.entity_id())
    raise forbidden(
        f"syn{row.id} cannot be locked: this server has no access requirements. "
        f"Restrict the access list of its project, syn{row.project_id}."
    )


@service("GET", "/repo/v1/entity/{id}/wikiheadertree")
def wiki(call: Call) -> synapse.PaginatedResults[synapse.Nothing]:
    """404: there are no wikis."""
    row = existing(call, call.entity_id())
    raise not_found(f"syn{row.id} has no wiki: this server keeps none.")
