"""Declares services: each once, at its handler, from which routes, validation, description and reference are made.

    service = Services("Runs and jobs")


    class PageQuery(Query, frozen=True):
        limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
        after: str = ""


    @service("GET", "/snakeprov/v1/runs")
    def listing(call: Call, query: PageQuery) -> Page[Run]:
        ...  # its docstring: Runs, newest first.

A request is decoded into what the handler's `query` and `body` are annotated with; what it returns is the body of the
answer. Its docstring is what the reference says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from snakeprov.db import tokens
from snakeprov.server.call import Answer, Call

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Access(Enum):
    """What a handler does to the store, and so which transaction it is given."""

    READS = "reads"
    WRITES = "writes"
    OWN = "own"
    """It opens transactions itself. It cannot be part of a batch."""
    DOWNLOADS = "downloads"
    """It sends bytes, is called with a Transfer, and opens transactions itself."""
    SIGNED = "signed"
    """The same, for whoever has the URL: its signature vouches for them."""

    @property
    def moves_bytes(self) -> bool:
        """Whether bytes are moved rather than JSON."""
        return self in (Access.DOWNLOADS, Access.SIGNED)


_SCOPES = {Access.READS: tokens.VIEW, Access.DOWNLOADS: tokens.DOWNLOAD}
"""What a token must be good for, where it is not for changes."""


@dataclass(frozen=True, eq=False)
class Service:
    """One method on one path.

    Attributes:
        section: The heading under which the reference has it.
        method: The HTTP method.
        template: The path, with a name in braces for each step that can be anything.
        handler: Answers a request.
        access: What it does to the store.
        scope: What a token must be good for.
        status: The status of success.
        others: What other statuses of success say.
        note: How the design of 2012, today's Synapse and this server differ; empty where they do not. Goes on from
            "Differs:".
    """

    section: str
    method: str
    template: str
    handler: Callable[..., Any]
    access: Access
    scope: str
    status: int
    others: Mapping[int, str]
    note: str
    _answer: Any = None

    @property
    def told(self) -> list[str]:
        """What it does, in paragraphs of which the first stands alone."""
        return [" ".join(paragraph.split()) for paragraph in (self.handler.__doc__ or "").split("\n\n")]

    @cached_property
    def _types(self) -> dict[str, Any]:
        return get_type_hints(self.handler)

    @cached_property
    def query(self) -> type[Any] | None:
        """The type of the query parameters, if it takes any."""
        return self._types.get("query")

    @cached_property
    def body(self) -> Any:
        """The type of the JSON body; None: it reads none."""
        return self._types.get("body")

    @property
    def answer(self) -> Any:
        """The type of the JSON answer; None: it has none. `bytes` and `str` where it moves bytes."""
        answer = self._answer or self._types["return"]
        return None if answer is type(None) else answer

    def decoded(self, call: Call) -> dict[str, Any]:
        """Return what the handler is called with beside the call: the body and the query of the request.

        Raises:
            Refusal: 400, one of them is not what was expected.
        """
        values: dict[str, Any] = {}
        if self.body is not None:
            values["body"] = call.read(self.body)
        if self.query is not None:
            values["query"] = call.asked(self.query)
        return values

    def run(self, call: Call, values: dict[str, Any]) -> Answer:
        """Have a decoded request handled; return the answer.

        Raises:
            Refusal: The request is refused.
        """
        body = self.handler(call, **values)
        return call.status or self.status, body


@dataclass(frozen=True)
class Services:
    """The services of a module; calling it declares one.

    Attributes:
        section: The heading under which the reference has them.
        declared: Those declared so far, in order.
    """

    section: str
    declared: list[Service] = field(default_factory=list)

    def __call__(
        self,
        method: str,
        paths: str | tuple[str, ...],
        *,
        answer: Any = None,
        access: Access | None = None,
        scope: str | None = None,
        status: int = 200,
        others: Mapping[int, str] | None = None,
        note: str = "",
    ) -> Callable[[Handler], Handler]:
        """Declare the function below as the handler of a method on one or more paths.

        Args:
            method: The HTTP method.
            paths: Templates of paths.
            answer: The type of the answer, where the handler returns plain values of its shape.
            access: What it does to the store; by default GET reads and every other method writes.
            scope: What a token must be good for, where `access` does not say it.
            status: The status of success.
            others: Other statuses of success, which the handler sets, and what they say.
            note: How the design of 2012, today's Synapse and this server differ.
        """
        access = access or (Access.READS if method == "GET" else Access.WRITES)
        scope = scope or _SCOPES.get(access, tokens.MODIFY)

        def declare(handler: Handler) -> Handler:
            for path in (paths,) if isinstance(paths, str) else paths:
                self.declared.append(
                    Service(self.section, method, path, handler, access, scope, status, others or {}, note, answer)
                )
            return handler

        return declare
