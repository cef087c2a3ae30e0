"""/repo/v1/message: what a user tells a user, which this server cannot deliver.

Must not know: any row.
Source: Synapse's JSON schema `message/MessageToUser`.
"""

from __future__ import annotations

import msgspec

from snakeprov.db import tokens
from snakeprov.server import permissions
from snakeprov.server.call import Answer, Call
from snakeprov.server.refusals import forbidden


class MessageBody(msgspec.Struct, rename="camel"):
    """A message whose text is in a file handle."""

    recipients: list[str]
    file_handle_id: str
    subject: str | None = None


def send(call: Call) -> Answer:
    """POST /message: a note to oneself is taken and dropped; a message to anybody else is refused.

    Synapse's client sends its user a note at the end of every synchronisation, and takes it for failed, although all
    files are there, when the note is refused.
    """
    permissions.check_scope(call.user, tokens.MODIFY)
    body = call.read(MessageBody)
    own = str(call.user.id)
    if set(body.recipients) != {own}:
        raise forbidden(
            "This server delivers no messages: only a note to yourself is accepted, and nobody is notified."
        )
    answer = {"createdBy": own, "recipients": body.recipients, "fileHandleId": body.file_handle_id}
    return 201, answer if body.subject is None else {**answer, "subject": body.subject}
