"""/repo/v1/message: what a user tells a user, which this server cannot deliver.

Must not know: any row.
Source: Synapse's JSON schema `message/MessageToUser`.
"""

from __future__ import annotations

import msgspec

from snakeprov.db import tokens
from snakeprov.model.entities import Body
from snakeprov.server.call import Call
from snakeprov.server.refusals import forbidden
from snakeprov.server.services import Access, Services

service = Services("Users")


class MessageBody(msgspec.Struct, rename="camel"):
    """A message whose text is in a file handle."""

    recipients: list[str]
    file_handle_id: str
    subject: str | None = None


@service(
    "POST",
    "/repo/v1/message",
    answer=Body,
    access=Access.READS,
    scope=tokens.MODIFY,
    status=201,
    note="Synapse sends mail to any user; here a note to somebody else is refused (403).",
)
def send(call: Call, body: MessageBody) -> Body:
    """A note to oneself, which is dropped.

    Synapse's client sends its user a note at the end of every synchronisation, and takes it for failed, although all
    files are there, when the note is refused.
    """
    own = str(call.user.id)
    if set(body.recipients) != {own}:
        raise forbidden(
            "This server delivers no messages: only a note to yourself is accepted, and nobody is notified."
        )
    answer = {"createdBy": own, "recipients": body.recipients, "fileHandleId": body.file_handle_id}
    return answer if body.subject is None else {**answer, "subject": body.subject}
