"""The WSGI application: from a request to its handler, and from whatever happens to an answer.

Must not know: what any resource does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import falcon
import msgspec
from falcon.routing import CompiledRouter

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, tokens
from snakeprov.errors import BusyStoreError, StoreError
from snakeprov.server import auth, downloads, filehandles, jobs, openapi, permissions, presigned, runs, uploads
from snakeprov.server.auth import User
from snakeprov.server.call import Answer, Call, Service
from snakeprov.server.refusals import Refusal, bad_request, body_of
from snakeprov.server.routes import BATCH, ROUTES, Access, Route

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
    service = Service(database, blobs, local_files=local_files, url_secret=secret)
    gate = _Gate(
        service, auth.by_token(database, session=session) if identify is None else auth.by_name(database, identify)
    )
    router = CompiledRouter()
    app: App = falcon.App(router=router)
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    routes = [*ROUTES, BATCH]
    for resource in _resources(gate, [*routes, openapi.describing(routes)]):
        app.add_route(resource.template, resource)
    app.add_route("/snakeprov/v1/blobs/{sha256}", downloads.Blob(gate.call_for))
    app.add_route("/snakeprov/v1/runs/{id}/patch", downloads.Named(gate.call_for, runs.patch_handle))
    app.add_route("/snakeprov/v1/jobs/{id}/environment", downloads.Named(gate.call_for, jobs.environment_handle))
    app.add_route("/file/v1/fileHandle/{id}/url", downloads.Location(gate.call_for))
    app.add_route(filehandles.DOWNLOAD_PATH, downloads.Download(gate.anonymous_call_for))
    app.add_route(uploads.PART_PATH, downloads.Part(gate.anonymous_call_for))
    app.set_error_serializer(_serialize)
    app.add_error_handler(StoreError, _store_failed)
    app.add_error_handler(OverflowError, _too_large)
    app.add_error_handler(Exception, _failed)
    service.run = _runner(router)
    return app


class _Resource:
    """All methods of one path, as falcon wants them."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.routes: dict[str, Route] = {}


class _Gate:
    """Turns a request of falcon's into a Call, and what a handler returns into the response."""

    def __init__(self, service: Service, identify: auth.Identify) -> None:
        self._service = service
        self._identify = identify

    def responder(self, route: Route) -> Callable[..., None]:
        """Return the function that falcon calls for one row of the table."""

        scope = _scope_of(route)

        def respond(request: falcon.Request, response: falcon.Response, **parameters: str) -> None:
            user = self._identify(request, route.access is not Access.READS)
            permissions.check_scope(user, scope)
            call = self._call(request, parameters, user, _body(request))
            if route.access is Access.OWN:
                status, body = route.handler(call)
            else:
                with call.writing() if route.access is Access.WRITES else call.reading():
                    status, body = route.handler(call)
            response.status = status
            if body is not None:
                response.content_type = _JSON
                response.data = msgspec.json.encode(body)

        return respond

    def call_for(self, request: falcon.Request, route: dict[str, str]) -> Call:
        """Return the Call of a user who wants bytes."""
        user = self._identify(request, False)
        permissions.check_scope(user, tokens.DOWNLOAD)
        return self._call(request, route, user, b"")

    def anonymous_call_for(self, request: falcon.Request, route: dict[str, str]) -> Call:
        """Return the Call of somebody who has only a signed URL."""
        return self._call(request, route, auth.ANONYMOUS, b"")

    def _call(self, request: falcon.Request, route: dict[str, str], user: User, body: bytes) -> Call:
        return Call(self._service, user, base_url=request.prefix, route=route, query=_query(request), body=body)


def _resources(gate: _Gate, routes: list[Route]) -> list[_Resource]:
    resources: dict[str, _Resource] = {}
    for route in routes:
        resource = resources.setdefault(route.template, _Resource(route.template))
        resource.routes[route.method] = route
        responder = gate.responder(route)
        setattr(resource, f"on_{route.method.lower()}", responder)
        if route.method == "GET":
            # Falcon sends no body in an answer to HEAD.
            resource.on_head = responder  # type: ignore[attr-defined]
    return list(resources.values())


def _runner(router: CompiledRouter) -> Callable[[Call, str, str], Answer]:
    """Return the function that runs one request of a batch, in the batch's transaction."""

    def run(call: Call, method: str, path: str) -> Answer:
        found = router.find(path if len(path) == 1 else path.rstrip("/"))
        if found is None:
            raise Refusal(404, "There is no such resource.")
        resource, _, parameters, _ = found
        if not isinstance(resource, _Resource):
            raise bad_request(f"{method} {path} moves bytes; it cannot be part of a batch.")
        route = resource.routes.get(method)
        if route is None:
            raise Refusal(405, f"This method is not supported here; supported: {', '.join(resource.routes)}.")
        if route is BATCH or route.access is Access.OWN:
            raise bad_request(f"{method} {path} cannot be part of a batch.")
        permissions.check_scope(call.user, _scope_of(route))
        call.route = parameters
        return route.handler(call)

    return run


def _scope_of(route: Route) -> str:
    return tokens.VIEW if route.access is Access.READS else tokens.MODIFY


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
