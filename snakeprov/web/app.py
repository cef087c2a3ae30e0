"""The WSGI application of the pages: from a request to its page, and from whatever happens to an answer.

Must not know: what any page shows.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from snakeprov.errors import (
    ApiError,
    BadRequestError,
    BusyStoreError,
    ForbiddenError,
    NotFoundError,
    NotRecordedError,
    RemoteError,
    SnakeprovError,
    UnauthorizedError,
    UsageError,
)
from snakeprov.web import (
    affected,
    compare,
    contents,
    files,
    home,
    jobs,
    lineages,
    methods,
    previews,
    render,
    runs,
    search,
)
from snakeprov.web.http import Request, Response, own_address, redirect
from snakeprov.web.sessions import Sessions, cookie_name, new_secret, set_cookie
from snakeprov.web.site import Site
from snakeprov.web.visit import Visit

Handler = Callable[..., Response]

ROUTES: Final[tuple[tuple[str, Handler], ...]] = (
    (r"/", home.show),
    (r"/f/(?P<entity_id>syn[0-9]+)(?:\.(?P<number>[0-9]+))?", files.show),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/download", files.download),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/content", previews.show),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/lineage", lineages.explore),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/lineage\.html", lineages.download_page),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/lineage\.svg", lineages.download_drawing),
    (r"/f/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)/methods", methods.show),
    (r"/f/(?P<path>.+)", files.find),
    (r"/d/(?:(?P<algorithm>sha256|md5):)?(?P<digest>[0-9a-fA-F]+)", contents.show),
    (r"/affected/(?P<entity_id>syn[0-9]+)\.(?P<number>[0-9]+)", affected.of_version),
    (r"/affected", affected.of_jobs),
    (r"/compare", compare.show),
    (r"/r/(?P<run_id>[^/]+)", runs.show),
    (r"/r/(?P<run_id>[^/]+)/patch", runs.patch),
    (r"/j/(?P<job_id>[^/]+)", jobs.show),
    (r"/search", search.show),
)
"""Which address shows what; the first that fits."""

PREFIXES: Final = (
    "/f/",
    "/r/",
    "/j/",
    "/d/",
    "/search",
    "/affected",
    "/compare",
    "/login",
    "/logout",
    "/open",
    "/static/",
    "/favicon.ico",
)
"""The addresses that are pages, whoever asks; `/` is one for browsers."""

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What pages may load and do. Source: Content Security Policy Level 3."""

_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_YEAR_S: Final = 365 * 24 * 3600
_TOKEN: Final = re.compile(r"[!-~]{1,1024}")
_STATUSES: Final[tuple[tuple[type[SnakeprovError], int], ...]] = (
    (NotFoundError, 404),
    (NotRecordedError, 404),
    (ForbiddenError, 403),
    (BadRequestError, 400),
    (UsageError, 400),
    (BusyStoreError, 503),
    (RemoteError, 502),
)
_logger = logging.getLogger(__name__)


class Pages:
    """The pages of a store as a WSGI application. Thread-safe as far as the clients of the site are each other's."""

    def __init__(self, site: Site) -> None:
        """Prepare the pages of a site."""
        self._site = site
        self._key = site.key
        self._sessions = Sessions(idle_s_max=None) if site.is_local else Sessions()
        self._routes = [(re.compile(pattern), handler) for pattern, handler in ROUTES]

    @staticmethod
    def has(environ: Mapping[str, Any]) -> bool:
        """Return whether a request is for one of the pages, where they share their addresses with a REST API."""
        path = environ.get("PATH_INFO", "")
        is_browser = "text/html" in environ.get("HTTP_ACCEPT", "")
        return path.startswith(PREFIXES) or (path in ("", "/") and is_browser)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        response = self._answer(request)
        own = {name for name, _ in response.headers}
        headers = [*response.headers, ("Content-Type", response.content_type)]
        headers += [one for one in _HEADERS if one[0] not in own]
        if "Content-Security-Policy" not in own:
            headers.append(("Content-Security-Policy", POLICY))
        if "Cache-Control" not in own:
            headers.append(("Cache-Control", "private, no-cache"))
        if isinstance(response.body, bytes):
            headers.append(("Content-Length", str(len(response.body))))
        start_response(response.status_line, headers)
        return _Body(response, is_sent=request.method != "HEAD")

    def _answer(self, request: Request) -> Response:
        if self._site.hosts is not None and request.host not in self._site.hosts:
            return Response(status=421, body=b"These pages have another address.", content_type="text/plain")
        if request.method not in ("GET", "HEAD", "POST"):
            return Response(status=405, headers=[("Allow", "GET, HEAD, POST")])
        if request.path.startswith("/static/"):
            return _static(request.path.removeprefix("/static/"))
        if request.path == "/favicon.ico":
            return _static("icon.svg")
        if request.path == "/open" and self._site.is_local:
            return self._open(request)
        if request.path == "/login":
            return self._login(request)
        session = self._sessions.find(request.cookie(cookie_name(request)))
        if session is None:
            return self._not_signed_in(request)
        if request.method == "POST":
            return self._changed(request)
        return self._guarded(request, session.token, session.user)

    def _guarded(self, request: Request, token: str, user: str) -> Response:
        """Return a page for somebody, or why there is none; closes the client once the answer is sent."""
        form_token = self._sessions.form_token(request.cookie(cookie_name(request)))
        client = self._site.connect(token)
        visit = Visit(request=request, site=self._site, client=client, user=user, form_token=form_token)
        try:
            response = self._page(visit)
        except UnauthorizedError:
            self._sessions.end(request.cookie(cookie_name(request)))
            response = self._not_signed_in(request)
        except SnakeprovError as error:
            response = _problem(visit, error)
        except Exception as error:
            _logger.exception("The page %s failed.", request.path)
            said = f"This page failed ({type(error).__name__}); the server's log says why."
            response = visit.page("problem.html", title="This did not work", status=500, said=said, hint="")
        if isinstance(response.body, bytes):
            client.close()
        else:
            response.on_close = client.close
        return response

    def _page(self, visit: Visit) -> Response:
        for pattern, handler in self._routes:
            if found := pattern.fullmatch(visit.request.path):
                return handler(visit, **found.groupdict())
        return visit.unknown("There is no such page.", hint="Search for a file, a run or a rule.")

    # Signing in and out.

    def _open(self, request: Request) -> Response:
        """Sign in whoever has the link that was printed: the first one."""
        to = own_address(request.query.get("next", "/"))
        if self._sessions.find(request.cookie(cookie_name(request))) is not None:
            return redirect(to)
        sent, key = request.query.get("key", ""), self._key
        if key is None or not hmac.compare_digest(sent.encode(), key.encode()):
            return self._not_signed_in(request)
        self._key = None
        with self._site.connect("") as client:
            cookie = self._sessions.begin(token="", user=client.user_name())
        return redirect(to, headers=[set_cookie(request, cookie)])

    def _not_signed_in(self, request: Request) -> Response:
        if request.header("Sec-Fetch-Site") == "cross-site" and request.method == "GET":
            # A browser sends a strict cookie only where one of our own pages led to this one.
            return self._plain(request, "again.html", title="One moment", to=own_address(request.address))
        if self._site.is_local:
            return self._plain(request, "closed.html", title="Not signed in", status=401)
        return redirect(f"/login?{_next(request)}")

    def _login(self, request: Request) -> Response:
        if self._site.is_local:
            return redirect("/")
        cookie = request.cookie(cookie_name(request))
        to = own_address(request.query.get("next", "/"))
        if request.method != "POST":
            return self._login_page(request, to=to)
        if not self._sessions.is_from_form(cookie, request.form.get("form", "")):
            return self._login_page(request, to=to, status=403, said="The form was too old: try again.")
        token = request.form.get("token", "").strip()
        user = self._holder(token)
        if user is None:
            return self._login_page(request, to=to, status=401, said="This token is not known, or has expired.")
        self._sessions.end(cookie)
        return redirect(to, headers=[set_cookie(request, self._sessions.begin(token=token, user=user))])

    def _holder(self, token: str) -> str | None:
        """Return the name of the user whom a token stands for, or None."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            with self._site.connect(token) as client:
                return client.user_name()
        except (UnauthorizedError, ForbiddenError):
            return None

    def _login_page(self, request: Request, *, to: str, status: int = 200, said: str = "") -> Response:
        # Without a session, too, a form is good only for the browser that it was given to.
        cookie = new_secret()
        token = self._sessions.form_token(cookie)
        response = self._plain(request, "login.html", title="Sign in", status=status, to=to, said=said, form=token)
        response.headers.append(set_cookie(request, cookie))
        return response

    def _changed(self, request: Request) -> Response:
        cookie = request.cookie(cookie_name(request))
        if not self._sessions.is_from_form(cookie, request.form.get("form", "")):
            return Response(status=403, body=b"This form is not ours, or too old.", content_type="text/plain")
        if request.path != "/logout":
            return Response(status=405, headers=[("Allow", "GET, HEAD")])
        self._sessions.end(cookie)
        return redirect("/login", headers=[set_cookie(request, "")])

    def _plain(self, request: Request, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """Return a page for which nobody has to be signed in."""
        body = render.page(template, title=title, site=self._site, user="", form_token="", searched="", **values)
        return Response(status=status, body=body, headers=[("Cache-Control", "no-store")])


class _Body:
    """The body of a response, closed once it has been sent."""

    def __init__(self, response: Response, *, is_sent: bool) -> None:
        self._response = response
        self._pieces = [response.body] if isinstance(response.body, bytes) else response.body
        self._is_sent = is_sent

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces if self._is_sent else ())

    def close(self) -> None:
        if self._response.on_close is not None:
            self._response.on_close()


def _static(name: str) -> Response:
    found = render.static(name)
    if found is None:
        return Response(status=404, body=b"There is no such file.", content_type="text/plain")
    return Response(
        body=found[0], content_type=found[1], headers=[("Cache-Control", f"public, max-age={_YEAR_S}, immutable")]
    )


def _problem(visit: Visit, error: SnakeprovError) -> Response:
    """Return the page that says what went wrong, in the words of the store."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, ApiError) and not isinstance(error, (NotFoundError, ForbiddenError, BadRequestError)):
        status = error.status
    said = error.reason if isinstance(error, ApiError) else error.message
    title = {403: "No permission", 404: "Not recorded"}.get(status, "This did not work")
    return visit.page("problem.html", title=title, status=status, said=said, hint=error.hint)


def _next(request: Request) -> str:
    from urllib.parse import urlencode

    return urlencode({"next": request.address})
