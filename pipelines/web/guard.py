"""What stands before the operator's pages: hosts, origins, sessions, rights.

Belongs here: an ASGI layer that lets a request through or says why not. Not here: the pages
themselves (Dagster's webserver), starting them (`webserver`), who may come in (`entrance`).

Any page in the operator's browser can send requests to this machine. So a request counts only with
a session that another page cannot use, is turned away under a foreign host or origin, and changes
something only as a POST of JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

from expectations.errors import UsageError
from pipelines.web.sessions import Session

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "yihu_session"
ENTER = "/yihu/enter"
LEAVE = "/yihu/leave"
LARGEST_BODY = 4 << 20
READING = ("GET", "HEAD")
NAME_OF_QUESTION = re.compile(rb"op=\w*")
"""What Dagster's own pages put behind the address of a question,
for whoever reads the server's log.
"""
CLOSED = ("/report_asset_materialization", "/report_asset_check", "/report_asset_observation")
"""Dagster's endpoints through which anybody could report what never ran."""
HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Entrance(Protocol):
    """Who may come in, and how; `pipelines.web.sign_in` has the ways."""

    def session(self, token: str | None, headers: dict[str, str]) -> Session | None: ...

    def enter(
        self, method: str, query: dict[str, str], body: bytes
    ) -> tuple[str, Session] | None: ...

    def leave(self, token: str | None) -> None: ...

    @property
    def page(self) -> str: ...


class Refused(UsageError):
    """A request that goes no further: its status, and what to do instead."""

    next_step = "open the pages by the link that make ui printed"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """The layer itself, around `app`; `hosts` are the names (with port)
    under which the pages may be asked for.
    """

    def __init__(self, app: App, entrance: Entrance, hosts: Iterable[str]) -> None:
        self._app, self._entrance = app, entrance
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_page = scope["type"] == "http"
        headers = _headers(scope["headers"])
        try:
            self._known_place(headers, is_page, scope.get("method", "GET"), scope["path"])
            if is_page and scope["path"] in (ENTER, LEAVE):
                await self._door(scope, headers, receive, send)
                return
            session = self._entrance.session(_token(headers), headers)
            if session is None:
                raise Refused(401, self._entrance.page)
            if is_page:
                receive = await _allowed(scope, headers, receive, session)
            await self._app(scope, receive, _framed(send) if is_page else send)
        except Refused as refused:
            await _say(send, is_page, refused)

    def _known_place(self, headers: dict[str, str], is_page: bool, method: str, path: str) -> None:
        """The request names us as its host, and comes from no other site."""
        if (
            not path.isprintable()
        ):  # a router's "end of line" lets a line's end through, what is compared here does not
            raise Refused(400, "no page has such a name")
        if headers.get("host", "").lower() not in self._hosts:
            raise Refused(
                403,
                f"unknown host: ask for {', '.join(sorted(self._hosts))}, or name more in"
                " YIHU_UI_HOSTS",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in self._hosts:
            raise Refused(403, "foreign origin: open the pages themselves")
        is_asked_elsewhere = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        is_navigation = (
            is_page and method in READING and headers.get("sec-fetch-mode") == "navigate"
        )
        if is_asked_elsewhere and not (
            is_navigation and headers.get("sec-fetch-dest") == "document"
        ):
            raise Refused(403, "foreign page: open the pages themselves")

    async def _door(
        self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        """Comes in, with a cookie that no other site's request carries; or goes."""
        if scope["path"] == LEAVE:
            if scope["method"] != "POST":
                raise Refused(405, "leaving is a POST")
            self._entrance.leave(_token(headers))
            await _answer(
                send, 200, "left", [(b"set-cookie", f"{COOKIE}=; Max-Age=0; Path=/".encode())]
            )
            return
        query = {
            name: values[0]
            for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()
        }
        body = await _body(receive) if scope["method"] == "POST" else b""
        came_in = self._entrance.enter(scope["method"], query, body)
        if came_in is None:
            raise Refused(401 if scope["method"] == "POST" or query else 200, self._entrance.page)
        token, _ = came_in
        cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
        # a page that leads on, not a redirect: a strict cookie is not sent along a chain that began
        # elsewhere
        onward = '<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">yihu</a>'
        await _answer(send, 200, onward, [(b"set-cookie", cookie.encode())])


async def _allowed(
    scope: Scope, headers: dict[str, str], receive: Receive, session: Session
) -> Receive:
    """The request's body as it may go on. Raises `Refused`."""
    path, method = scope["path"], scope["method"]
    if path.startswith(CLOSED):
        raise Refused(403, "closed: what an asset did is recorded by its run alone")
    is_named = method == "POST" and NAME_OF_QUESTION.fullmatch(scope["query_string"])
    if "graphql" in path and scope["query_string"] and not is_named:
        raise Refused(405, "questions are a POST of JSON")  # Dagster takes one from there too
    if method in READING:
        return receive
    if method != "POST" or path.rstrip("/") != "/graphql":
        raise Refused(405, f"{method} {path} is nothing that these pages do")
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(415, "a POST is JSON (Content-Type: application/json)")
    body = await _body(receive)
    if not session.may_operate and _changes_something(body):
        raise Refused(
            403, f"{session.user} reads only: an operator's right is given in YIHU_UI_OPERATORS"
        )
    return _again(body)


def _changes_something(body: bytes) -> bool:
    """Whether a GraphQL request holds a mutation; what cannot be read does."""
    try:
        document = parse(str(json.loads(body)["query"]), max_tokens=50_000)
    except (ValueError, KeyError, TypeError, RecursionError, GraphQLError):
        return True
    found = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return any(operation.operation is OperationType.MUTATION for operation in found)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the request ended before its body did")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refused(413, "the request is larger than 4 MiB")
        if not message.get("more_body"):
            return body


def _again(body: bytes) -> Receive:
    """The body that was read, for the next who asks; nothing after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive


def _headers(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A request's headers; one that came twice is both,
    so that nobody behind us reads another one than we judged.
    """
    headers: dict[str, str] = {}
    for name, value in (
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in lines
    ):
        headers[name] = (
            f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
            if name in headers
            else value
        )
    return headers


def _token(headers: dict[str, str]) -> str | None:
    """Our cookie among those of every port of this host;
    what another one is called or holds is nothing to us.
    """
    for cookie in headers.get("cookie", "").split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def _framed(send: Send) -> Send:
    """Every answer says that it is in nobody's frame."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = {name for name, _ in HEADERS} - {
                b"content-security-policy"
            }  # of two policies both hold
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in ours
            ]
            message = {**message, "headers": [*kept, *HEADERS]}
        await send(message)

    return with_headers


async def _say(send: Send, is_page: bool, refused: Refused) -> None:
    if is_page:
        await _answer(send, refused.status, refused.message, [])
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})


async def _answer(send: Send, status: int, text: str, more: list[tuple[bytes, bytes]]) -> None:
    kind = b"text/html; charset=utf-8" if text.startswith("<") else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), *HEADERS, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
