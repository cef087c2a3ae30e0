"""The WSGI application: from a request to its handler, and from whatever happens to an answer.

Must not know: what any resource does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import falcon
import msgspec
from falcon.routing import CompiledRouter

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database
from snakeprov.errors import BusyStoreError, StoreError
from snakeprov.server import auth, permissions, presigned, routes
from snakeprov.server.call import Answer, Call, Server, Transfer
from snakeprov.server.refusals import Refusal, bad_request, body_of
from snakeprov.server.services import Access, Service

BODY_BYTES_MAX = 256 * 1024 * 1024
"""How long a JSON body can be."""

_JSON = "application/json"
_logger = logging.getLogger(__name__)

App = falcon.App[falcon.Request, falcon.Response]


def create_app(
    database: Database,
    blobs: LocalBlobs,
    *,
    identify: Callable[[falcon.Request], str] | None = None,
    session: tuple[str, str] | None = None,
    local_files: bool = False,
    url_secret: bytes | None = None,
) -> App:
    """Return the store as a WSGI application.

    Args:
        database: Where the records are. It stays the caller's to close.
        blobs: Where the bytes are.
        identify: Returns the name of the user who sends a request. A new name becomes a user, and no access
            list stops anybody. By default users are those of the store, and prove it with an access token.
        session: A user's name and a token for that user which is good for this application and kept nowhere.
        local_files: Whether clients share the file system of this process and may name files by their path.
        url_secret: Signs URLs that carry their own permission; by default one that nobody else ever knows.
    """
    secret = url_secret or presigned.new_secret()
    server = Server(database, blobs, local_files=local_files, url_secret=secret)
    gate = _Gate(
        server, auth.by_token(database, session=session) if identify is None else auth.by_name(database, identify)
    )
    router = _Router(gate)
    if identify is None:
        # A server runs for months: what is installed meanwhile must not be loaded beside what runs.
        router.add_all()
    app: App = falcon.App(router=router)
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    app.set_error_serializer(_serialize)
    app.add_error_handler(StoreError, _store_failed)
    app.add_error_handler(OverflowError, _too_large)
    app.add_error_handler(Exception, _failed)
    server.run = _runner(router)
    return app


class _Resource:
    """All services of one path, as falcon wants them."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.services: dict[str, Service] = {}


class _Gate:
    """Turns a request of falcon's into a Call, and what a handler returns into the response."""

    def __init__(self, server: Server, identify: auth.Identify) -> None:
        self._server = server
        self._identify = identify

    def responder(self, service: Service) -> Callable[..., None]:
        """Return the function that falcon calls for a service."""

        def respond(request: falcon.Request, response: falcon.Response, **route: str) -> None:
            user = self._identify(request, service.access is not Access.READS)
            permissions.check_scope(user, service.scope)
            call = Call(self._server, user, **_parts(request, route), body=_body(request))
            arguments = service.decoded(call)
            if service.access is Access.OWN:
                status, body = service.run(call, arguments)
            else:
                with call.writing() if service.access is Access.WRITES else call.reading():
                    status, body = service.run(call, arguments)
            response.status = status
            if body is not None:
                response.content_type = _JSON
                response.data = msgspec.json.encode(body)

        def transfer(request: falcon.Request, response: falcon.Response, **route: str) -> None:
            user = auth.ANONYMOUS
            if service.access is Access.DOWNLOADS:
                user = self._identify(request, False)
                permissions.check_scope(user, service.scope)
            call = Transfer(self._server, user, request, response, **_parts(request, route))
            if service.access is Access.SIGNED:
                presigned.check(request.path, call.query, secret=self._server.url_secret)
            response.status, _ = service.run(call, service.decoded(call))

        return transfer if service.access.moves_bytes else respond


class _Router(CompiledRouter):
    """Finds the services of a path; adds those of a resource when it is first asked for."""

    def __init__(self, gate: _Gate) -> None:
        super().__init__()
        self._gate = gate
        self._missing = set(routes.RESOURCES)
        self._lock = threading.Lock()

    def find(self, uri: str, req: falcon.Request | None = None) -> Any:
        """Return what falcon's router returns."""
        with self._lock:
            if (resource := routes.resource_of(uri)) in self._missing:
                self._add(resource)
            return super().find(uri, req)

    def add_all(self) -> None:
        """Add the services of every resource."""
        for resource in sorted(self._missing):
            self._add(resource)

    def _add(self, resource: str) -> None:
        found: dict[str, _Resource] = {}
        for service in routes.services_of(resource):
            here = found.setdefault(service.template, _Resource(service.template))
            here.services[service.method] = service
            responder = self._gate.responder(service)
            setattr(here, f"on_{service.method.lower()}", responder)
            if service.method == "GET":
                # Falcon sends no body in an answer to HEAD.
                here.on_head = responder  # type: ignore[attr-defined]
        for template, here in found.items():
            self.add_route(template, here)
        self._missing.remove(resource)


def _runner(router: CompiledRouter) -> Callable[[Call, str, str], Answer]:
    """Return the function that runs one request of a batch, in the batch's transaction."""

    def run(call: Call, method: str, path: str) -> Answer:
        found = router.find(path if len(path) == 1 else path.rstrip("/"))
        if found is None:
            raise Refusal(404, "There is no such resource.")
        resource, _, call.route, _ = found
        assert isinstance(resource, _Resource)  # noqa: S101 - there are no others
        service: Service | None = resource.services.get(method)
        if service is None:
            raise Refusal(405, f"This method is not supported here; supported: {', '.join(resource.services)}.")
        if service.access not in (Access.READS, Access.WRITES):
            what = "moves bytes; it cannot" if service.access.moves_bytes else "cannot"
            raise bad_request(f"{method} {path} {what} be part of a batch.")
        permissions.check_scope(call.user, service.scope)
        return service.run(call, service.decoded(call))

    return run


def _parts(request: falcon.Request, route: dict[str, str]) -> dict[str, Any]:
    """Return what a request says beside its body."""
    return {"base_url": request.prefix, "route": route, "query": _query(request)}


def _query(request: falcon.Request) -> dict[str, str]:
    query = {}
    for name, value in request.params.items():
        if not isinstance(value, str):
            raise bad_request(f"The query parameter {name!r} is given more than once.")
        query[name] = value
    return query


def _body(request: falcon.Request) -> bytes:
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise Refusal(413, f"The body has {request.content_length} bytes; at most {BODY_BYTES_MAX} are allowed.")
    body: bytes = request.bounded_stream.read()
    return body


def _serialize(request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    response.content_type = _JSON
    response.data = msgspec.json.encode(body_of(error))


def _store_failed(request: falcon.Request, response: falcon.Response, error: Exception, parameters: Any) -> None:
    # Not 500, which Synapse's client would repeat for half an hour; being locked out is the one thing that passes.
    status = 503 if isinstance(error, BusyStoreError) else 507
    raise Refusal(status, str(error)) from error


def _too_large(request: falcon.Request, response: falcon.Response, error: Exception, parameters: Any) -> None:
    raise bad_request("A number in the request is larger than the store can hold.") from error


def _failed(request: falcon.Request, response: falcon.Response, error: Exception, parameters: Any) -> None:
    _logger.error("%s %s failed.", request.method, request.path, exc_info=error)
    raise Refusal(500, f"The server failed on this request ({type(error).__name__}); its log says why.") from error
