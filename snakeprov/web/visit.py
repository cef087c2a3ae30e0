"""One visit to a page: who asks what, and the client that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snakeprov.client import Client
from snakeprov.web import render
from snakeprov.web.http import Request, Response
from snakeprov.web.site import Site


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit to a page.

    Attributes:
        request: What was asked.
        site: What the pages are about.
        client: Asks the store, as the user; closed once the page is answered.
        user: Who is signed in; empty where nobody is.
        form_token: What forms of the page have to send back.
    """

    request: Request
    site: Site
    client: Client
    user: str
    form_token: str

    def page(self, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """Return a page made from a template."""
        body = render.page(
            template,
            title=title,
            user=self.user,
            site=self.site,
            form_token=self.form_token,
            searched=self.request.query.get("q", ""),
            **values,
        )
        return Response(status=status, body=body)

    def unknown(self, what: str, *, hint: str = "", near: list[tuple[str, str]] | None = None) -> Response:
        """Return the page that says that something is not recorded.

        Args:
            what: The sentence that says so.
            hint: What to do about it.
            near: Names and addresses of what may have been meant.
        """
        return self.page("unknown.html", title="Not recorded", status=404, what=what, hint=hint, near=near or [])
