"""What Synapse's clients ask about and snakeprov has not got: access requirements and wikis.

Must not know: any row but that of the entity they ask about.
"""

from __future__ import annotations

from snakeprov.server.call import Answer, Call
from snakeprov.server.entities import existing
from snakeprov.server.refusals import forbidden, not_found


def listing(call: Call) -> Answer:
    """GET /entity/{id}/accessRequirement: none, ever."""
    existing(call, call.entity_id())
    return 200, {"results": [], "totalNumberOfResults": 0}


def lock(call: Call) -> Answer:
    """POST /entity/{id}/lockAccessRequirement: refused, since to say yes and leave it open would be worse."""
    row = existing(call, call.entity_id())
    raise forbidden(
        f"syn{row.id} cannot be locked: this server has no access requirements. "
        f"Restrict the access list of its project, syn{row.project_id}."
    )


def wiki(call: Call) -> Answer:
    """GET /entity/{id}/wikiheadertree: always empty."""
    row = existing(call, call.entity_id())
    raise not_found(f"syn{row.id} has no wiki: this server keeps none.")
