"""The layer before the operator's pages, attacked as another page in the operator's browser would,
and by who may only read.

A small server stands where Dagster's does; `test_foreign_page`, `test_browser` and `test_backfill`
go through the same layer to the real one.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

from pipelines.web.guard import LARGEST_BODY, Guard
from pipelines.web.sessions import IDLE_SECONDS, LINK_SECONDS, Links, Session, Sessions
from pipelines.web.sign_in import (
    PasswordFileError,
    SignIn,
    password_line,
    read_password_file,
    set_password_line,
)
from tests.operating.visitor import Visitor

READ = json.dumps({"query": "{ version }"})
STOP = json.dumps({"query": "mutation { stopRunningSchedule(id: 1) { __typename } }"})
HIDDEN = json.dumps({"query": "query A { version } mutation B { wipe }", "operationName": "B"})


class Behind:
    """What stands behind the layer: counts what reaches it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        if scope["type"] == "websocket":
            await receive()
            self.reached.append(("WS", scope["path"], ""))
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "in"})
            await receive()
            return
        body = (await receive()).get("body", b"").decode()
        self.reached.append((scope["method"], scope["path"], body))
        headers = [(b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"behind"})


class Serving:
    def __init__(self, home: Path, **door: Any) -> None:
        self.behind, self.home = Behind(), home
        self.hosts: list[str] = []
        door_ = SignIn(Sessions(), Links(home / "ui" / "links"), **door)
        config = uvicorn.Config(self._guarded(door_), host="127.0.0.1", port=0, log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)

    def _guarded(self, door: SignIn) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await Guard(self.behind, door, self.hosts)(scope, receive, send)

        return app

    def __enter__(self) -> Visitor:
        self.thread.start()
        while not self.server.started:
            pass
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.hosts = [f"127.0.0.1:{port}", "yihu.example"]
        return Visitor(f"http://127.0.0.1:{port}", self.home)

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[Visitor, Behind]]:
    serving = Serving(tmp_path)
    with serving as visitor:
        yield visitor, serving.behind


@pytest.fixture
def operator(pages: tuple[Visitor, Behind]) -> Visitor:
    pages[0].enter()
    return pages[0]


WITHOUT_A_SESSION = [
    ("GET", "/", None), ("GET", "/asset-groups", None),
    ("GET", "/graphql?query=mutation%7Bwipe%7D", None),
    ("POST", "/graphql", READ), ("POST", "/graphql", STOP), ("GET", "/logs/run/compute.err", None),
    ("GET", "/download_debug/1", None),
    ("POST", "/report_asset_materialization/household", "{}"), ("GET", "/server_info", None),
    ("DELETE", "/", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), WITHOUT_A_SESSION)
def test_without_a_session_nothing_is_answered(
    pages: tuple[Visitor, Behind], method: str, path: str, body: str | None
) -> None:
    visitor, behind = pages
    answer = visitor.send(method, path, body, Content_Type="application/json")
    assert answer.status == 401
    assert "make ui-link" in answer.body
    assert behind.reached == []


REFUSED: list[tuple[str, str, str | None, dict[str, str], int]] = [
    ("GET", "/graphql?query=mutation%7Bwipe%7D", None, {}, 405),
    ("GET", "/graphql?query=%7Bversion%7D", None, {"Accept": "text/html"}, 405),
    ("HEAD", "/graphql?query=mutation%7Bwipe%7D", None, {}, 405),
    ("GET", "/graphql/?query=mutation%7Bwipe%7D", None, {}, 405),
    ("GET", "/graphql%0a?query=mutation%7Bwipe%7D", None, {}, 400),
    ("GET", "//graphql?query=mutation%7Bwipe%7D", None, {}, 405),
    ("POST", "/graphql?query=mutation%7Bwipe%7D", READ, {"Content_Type": "application/json"}, 405),
    (
        "POST",
        "/graphql?op=Stop&query=mutation%7Bwipe%7D",
        READ,
        {"Content_Type": "application/json"},
        405,
    ),
    ("GET", "/graphql?op=Stop", None, {}, 405),
    ("POST", "/graphql%0a", STOP, {"Content_Type": "application/json"}, 400),
    ("GET", "/", None, {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors"}, 403),
    ("GET", "/", None, {"Sec_Fetch_Site": "same-origin, cross-site"}, 403),
    ("POST", "/graphql", STOP, {"Content_Type": "text/plain"}, 415),
    ("POST", "/graphql", STOP, {}, 415),
    (
        "POST",
        "/graphql",
        "query=mutation{wipe}",
        {"Content_Type": "application/x-www-form-urlencoded"},
        415,
    ),
    (
        "POST",
        "/graphql",
        STOP,
        {"Content_Type": "multipart/form-data; boundary=application/json"},
        415,
    ),
    ("POST", "/graphql", "mutation{wipe}", {"Content_Type": "application/graphql"}, 415),
    (
        "POST",
        "/graphql",
        STOP,
        {"Content_Type": "application/json", "Origin": "http://evil.example"},
        403,
    ),
    ("POST", "/graphql", STOP, {"Content_Type": "application/json", "Origin": "null"}, 403),
    (
        "POST",
        "/graphql",
        STOP,
        {"Content_Type": "application/json", "Origin": "http://127.0.0.1"},
        403,
    ),
    (
        "POST",
        "/graphql",
        STOP,
        {"Content_Type": "application/json", "Sec_Fetch_Site": "cross-site"},
        403,
    ),
    ("GET", "/", None, {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
    (
        "GET",
        "/",
        None,
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        403,
    ),
    ("GET", "/", None, {"Host": "evil.example"}, 403),
    ("GET", "/", None, {"Host": "127.0.0.1"}, 403),
    (
        "POST",
        "/report_asset_materialization/household",
        "{}",
        {"Content_Type": "application/json"},
        403,
    ),
    ("POST", "/report_asset_check/household", "{}", {"Content_Type": "application/json"}, 403),
    (
        "POST",
        "/report_asset_observation/household",
        "{}",
        {"Content_Type": "application/json"},
        403,
    ),
    ("PUT", "/graphql", STOP, {"Content_Type": "application/json"}, 405),
    ("POST", "/", "{}", {"Content_Type": "application/json"}, 405),
    ("GET", "/yihu/leave", None, {}, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REFUSED)
def test_what_no_session_makes_good(
    pages: tuple[Visitor, Behind],
    operator: Visitor,
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str],
    status: int,
) -> None:
    answer = operator.send(method, path, body, **headers)
    assert answer.status == status
    assert pages[1].reached == []


TWICE = [
    ("Content-Type", "text/plain", "application/json", 415),
    ("Content-Type", "application/graphql", "application/json", 415),
    ("Content-Type", "application/json", "text/plain", 415),
    ("Host", "evil.example", None, 403),
    ("Origin", "http://evil.example", None, 403),
]


@pytest.mark.parametrize(("name", "first", "last", "status"), TWICE)
def test_a_header_that_comes_twice_is_not_judged_by_one_of_them(
    pages: tuple[Visitor, Behind],
    operator: Visitor,
    name: str,
    first: str,
    last: str | None,
    status: int,
) -> None:
    """What stands behind reads the first of two headers, a dictionary of them keeps the last."""
    own = {
        "Host": urlsplit(operator.url).netloc,
        "Origin": operator.url,
        "Content-Type": "application/json",
    }
    lines = [
        *((key, value) for key, value in own.items() if key != name),
        (name, first),
        (name, last or own[name]),
    ]
    assert _by_lines(operator, [*lines, ("Cookie", f"yihu_session={operator.cookie}")]) in (
        status,
        400,
    )
    assert pages[1].reached == []


def _by_lines(visitor: Visitor, lines: list[tuple[str, str]]) -> int:
    """The status of a question whose header lines are these, in order."""
    connection = HTTPConnection(urlsplit(visitor.url).netloc, timeout=60)
    connection.putrequest("POST", "/graphql", skip_host=True)
    for name, value in [*lines, ("Content-Length", str(len(READ)))]:
        connection.putheader(name, value)
    connection.endheaders(READ.encode())
    status = connection.getresponse().status
    connection.close()
    return status


def test_cookies_of_another_port_keep_nobody_out(
    pages: tuple[Visitor, Behind], operator: Visitor
) -> None:
    """Cookies know no ports: whatever else runs on this host leaves its own, in any form."""
    token, operator.cookie = operator.cookie, ""
    for theirs in ("[x]=1", '{"a": "b, c"}', "=", 'q="open', "a=b=c"):
        assert operator.send("GET", "/", Cookie=f"{theirs}; yihu_session={token}").status == 200
    assert operator.send("GET", "/", Cookie=f"not_yihu_session={token}").status == 401


def test_the_operators_own_work_goes_through(
    pages: tuple[Visitor, Behind], operator: Visitor
) -> None:
    own = {
        "Content_Type": "application/json",
        "Origin": operator.url,
        "Sec_Fetch_Site": "same-origin",
    }
    page = operator.send(
        "GET",
        "/asset-groups",
        Sec_Fetch_Site="none",
        Sec_Fetch_Mode="navigate",
        Sec_Fetch_Dest="document",
    )
    assert (page.status, page.body) == (200, "behind")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert operator.send("POST", "/graphql", STOP, **own).status == 200
    assert operator.send("POST", "/graphql?op=StopSchedule", STOP, **own).status == 200
    assert operator.send("GET", "/", Host="yihu.example").status == 200
    assert pages[1].reached[1:3] == [("POST", "/graphql", STOP)] * 2


def test_a_page_too_large_is_refused_before_it_is_read(
    pages: tuple[Visitor, Behind], operator: Visitor
) -> None:
    answer = operator.send(
        "POST", "/graphql", "x" * (LARGEST_BODY + 1), Content_Type="application/json"
    )
    assert answer.status == 413
    assert pages[1].reached == []


def test_a_websocket_needs_the_session_and_the_origin(pages: tuple[Visitor, Behind]) -> None:
    visitor, behind = pages
    at = visitor.url.replace("http", "ws") + "/graphql"
    with pytest.raises(InvalidHandshake):
        connect(at, origin=visitor.url)  # type: ignore[arg-type]
    visitor.enter()
    cookie = {"Cookie": f"yihu_session={visitor.cookie}"}
    with pytest.raises(InvalidHandshake):
        connect(
            at,
            origin="http://evil.example",  # type: ignore[arg-type]
            additional_headers=cookie,
        )
    assert behind.reached == []
    with connect(
        at,
        origin=visitor.url,  # type: ignore[arg-type]
        additional_headers=cookie,
    ) as socket:
        assert socket.recv() == "in"


def test_a_link_lets_in_once_and_not_for_long(
    tmp_path: Path, pages: tuple[Visitor, Behind]
) -> None:
    visitor, _ = pages
    path = visitor.link()
    entered = visitor.send("GET", path)
    assert entered.status == 200
    assert "HttpOnly; SameSite=Strict" in entered.headers["set-cookie"]
    assert visitor.send("GET", path).status == 401
    assert visitor.send("GET", "/yihu/enter?once=../../secrets").status == 401
    now = [1e9]
    links = Links(tmp_path / "links", clock=lambda: now[0])
    token = links.give()
    now[0] = (tmp_path / "links").stat().st_mtime + LINK_SECONDS + 60
    assert not links.use(token)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "links").iterdir()} <= {0o600}


def test_a_session_ends(operator: Visitor) -> None:
    assert operator.send("GET", "/").status == 200
    assert operator.send("POST", "/yihu/leave").status == 200
    assert operator.send("GET", "/").status == 401
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    token = sessions.begin(Session("operator", True))
    now[0] = IDLE_SECONDS
    assert sessions.find(token) is not None
    now[0] = 2 * IDLE_SECONDS + 1
    assert sessions.find(token) is None


def test_who_may_only_read_changes_nothing(tmp_path: Path) -> None:
    """Behind a proxy that says who somebody is."""
    serving = Serving(tmp_path, user_header="X-Forwarded-User", operators=["chen"])
    with serving as visitor:
        json_ = {"Content_Type": "application/json"}
        assert visitor.send("GET", "/").status == 401
        assert (
            visitor.send("POST", "/graphql", READ, X_Forwarded_User="wang", **json_).status == 200
        )
        for body in (
            STOP,
            HIDDEN,
            "[]",
            "{",
            json.dumps({"query": "mutation"}),
            json.dumps({"query": "{" * 100_000}),
            "[" * 200_000,
        ):
            answer = visitor.send("POST", "/graphql", body, X_Forwarded_User="wang", **json_)
            assert (answer.status, "YIHU_UI_OPERATORS" in answer.body) == (403, True)
        assert len(serving.behind.reached) == 1
        assert (
            visitor.send("POST", "/graphql", STOP, X_Forwarded_User="chen", **json_).status == 200
        )
        own = [("Host", urlsplit(visitor.url).netloc), ("Content-Type", "application/json")]
        for names in (("chen", "wang"), ("wang", "chen"), ("wang", "")):
            assert (
                _by_lines(visitor, [*own, *(("X-Forwarded-User", name) for name in names)]) == 401
            )


def test_a_password_file(tmp_path: Path) -> None:
    path = tmp_path / "users"
    set_password_line(path, password_line("chen", "a first password", True))
    set_password_line(path, password_line("wang", "another password", False))
    set_password_line(path, password_line("chen", "a newer password", True))
    assert path.stat().st_mode & 0o777 == 0o600
    assert "password" not in path.read_text()
    serving = Serving(tmp_path, known=read_password_file(path))
    with serving as visitor:
        assert 'type="password"' in visitor.send("GET", "/").body

        def signs_in(user: str, password: str) -> int:
            body = json.dumps({"user": user, "password": password})
            entered = visitor.send("POST", "/yihu/enter", body, Content_Type="application/json")
            visitor.cookie = (
                entered.headers.get("set-cookie", "").partition("=")[2].partition(";")[0]
            )
            return entered.status

        assert signs_in("chen", "a first password") == 401
        assert signs_in("nobody", "a newer password") == 401
        assert signs_in("wang", "another password") == 200
        assert visitor.send("POST", "/graphql", STOP, Content_Type="application/json").status == 403
        assert signs_in("chen", "a newer password") == 200
        assert visitor.send("POST", "/graphql", STOP, Content_Type="application/json").status == 200
        for _ in range(10):
            signs_in("chen", "guessed")
        assert signs_in("chen", "a newer password") == 401, "guessing is slowed down for everybody"
    path.chmod(0o644)
    with pytest.raises(PasswordFileError, match="chmod 600"):
        read_password_file(path)
    path.write_text("chen:root:x\n")
    path.chmod(0o600)
    with pytest.raises(PasswordFileError, match="line 1"):
        read_password_file(path)
