"""The web pages: what made this file, for people who do not live in a terminal.

A WSGI application that asks a store only through the client, as the user who is signed in.

Must not know: how a store keeps what it answers, or where it is.
"""

from __future__ import annotations

from snakeprov.web.app import Pages
from snakeprov.web.site import Site, Waiting

__all__ = ["Pages", "Site", "Waiting"]
