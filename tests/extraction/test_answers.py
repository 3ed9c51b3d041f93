"""Answers that are nearly JSON, or that would do harm: read where they mean one thing, else named
as what they are, and bounded.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests

from expectations.contract import Contract
from resources.departments import DayRead, Departments, preflight
from resources.departments.answers import read_page
from resources.departments.signature import ExchangeSignature
from resources.lake import Lake
from resources.settings import Settings, SettingsError, load_settings
from tests.extraction.conftest import NOW, QUICK, D
from tests.extraction.gateway import Asked, Gateway, Reply, serving
from tests.extraction.test_api import PATH, rows
from tests.self_signed import self_signed

ROW = {**rows(1)[0], "name": "张三"}


@pytest.fixture(autouse=True)
def county(gateway: Gateway) -> None:
    gateway.rows[PATH] = rows()


def answer(row: str = "", **changed: Any) -> bytes:
    """One page of one row; `row` is put into it as it is, in front of the name."""
    text = json.dumps(
        {
            "code": 0,
            "message": "ok",
            "data": {"total": 1, "cursor": None, "rows": [ROW], **changed},
        },
        ensure_ascii=False,
    )
    return text.replace('"name"', f'{row} "name"' if row else '"name"').encode()


def sends(gateway: Gateway, body: bytes, **headers: str) -> None:
    gateway.fault = lambda asked, proper: Reply(200, body, dict(headers))


def kept(lake: Lake, read: DayRead) -> dict[str, Any]:
    """The one row as the lake has it."""
    assert read.failure is None, str(read.failure)
    (batch,) = read.batches
    found = json.loads(
        (lake.table("raw", read.table) / batch.batch_id / batch.files[0]).read_bytes()
    )
    row: dict[str, Any] = found["data"]["rows"][0]
    return row


READ: dict[str, tuple[bytes, dict[str, str], dict[str, Any]]] = {
    "a mark in front": (b"\xef\xbb\xbf" + answer(), {}, ROW),
    "utf-16": (answer().decode().encode("utf-16"), {}, ROW),
    "gbk, and says so": (answer().decode().encode("gbk"),
        {"Content-Type": "application/json; charset=GBK"}, ROW),
    "says gbk, and is none": (answer(), {"Content-Type": "application/json;charset=gb2312"}, ROW),
    "code 200": (answer().replace(b'"code": 0', b'"code": 200'), {}, ROW),
    "code as text": (answer().replace(b'"code": 0', b'"code": "200"'), {}, ROW),
    "total as text": (answer(total="1"), {}, ROW),
    "total with a point": (answer(total="1.0"), {}, ROW),
    "an empty cursor": (answer(cursor=""), {}, ROW),
    "NaN": (answer('"x": NaN,'), {}, {**ROW, "x": "NaN"}),
    "Infinity": (answer('"x": -Infinity,'), {}, {**ROW, "x": "-Infinity"}),
    "NaN within a text": (answer('"x": NaN, "y": "a NaN, \\" -Infinity",'), {},
        {**ROW, "x": "NaN", "y": 'a NaN, " -Infinity'}),
    "half a surrogate pair": (answer('"x": "\\ud83d", "y": "\\ud83d\\ude00", "z": "\\\\ud83d",'),
        {}, {**ROW, "x": "\ufffd", "y": "😀", "z": "\\ud83d"}),
    "the other half": (answer('"x": "a\\udc00b",'), {}, {**ROW, "x": "a\ufffdb"}),
    "a line break within a text": (answer('"x": "a\n\tb",'), {}, {**ROW, "x": "a\n\tb"}),
    "NUL": (answer('"x": "a\\u0000b",'), {}, {**ROW, "x": "a\0b"}),
    "one illegal byte": (answer('"x": "a!b",').replace(b"a!b", b"a\xffb"), {},
        {**ROW, "x": "a\ufffdb"}),
    "a number beyond every range": (answer('"x": 1e999,'), {}, {**ROW, "x": float("inf")}),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read_where_the_meaning_is_clear(
    name: str, gateway: Gateway, departments: Departments, lake: Lake, contract: Contract
) -> None:
    body, headers, expected = READ[name]
    sends(gateway, body, **headers)
    read = departments.read_day(contract, D, NOW)
    assert kept(lake, read) == expected
    folder = lake.table("raw", contract.table) / read.batches[0].batch_id
    beside = folder / "page-00001.came"
    assert (
        beside.read_bytes() if beside.exists() else (folder / "page-00001.json").read_bytes()
    ) == body
    assert read.batches[0].files == ["page-00001.json"]


NAMED: dict[str, tuple[bytes, str, str]] = {
    "no JSON": (b"OK", "malformed", "is no JSON"),
    "JSON with something behind it": (answer() + b"}", "malformed", "is no JSON"),
    "a number that is none": (answer('"x": 01,'), "malformed", "is no JSON"),
    "cut short": (answer()[:-30], "truncated", "cut short"),
    "cut short behind half a surrogate": (
        answer('"x": "\\ud83d",')[:-30],
        "truncated",
        "cut short",
    ),
    "gbk, and does not say so": (
        answer('"x": "' + "残疾人证" * 9 + '",').decode().encode("gbk"),
        "wrong_encoding",
        "not in utf-8",
    ),
    "another code": (answer().replace(b'"code": 0', b'"code": 500'), "code", "code 500"),
    "a code in words": (
        answer().replace(b'"code": 0', b'"code": "fine"'),
        "malformed",
        "code is no number",
    ),
    "no total": (answer(total=None), "malformed", "total is no number"),
    "a total in words": (answer(total="about 1"), "malformed", "total is no number"),
    "a total of true": (answer(total=True), "malformed", "total is no number"),
    "a cursor of true": (answer(cursor=True), "malformed", "cursor is neither"),
    "a row that is no object": (
        answer(rows=[ROW, 7, ROW], total=3),
        "malformed",
        "rows of the answer are no objects",
    ),
    "no data": (b'{"code": 0, "data": null}', "malformed", "holds no data"),
}


@pytest.mark.parametrize("name", NAMED)
def test_else_named_as_what_it_is(
    name: str, gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    body, reason, words = NAMED[name]
    sends(gateway, body)
    failure = departments.read_day(contract, D, NOW).failure
    assert failure is not None
    assert (failure.reason, words in str(failure)) == (reason, True), str(failure)
    assert "张三" not in str(failure)


def test_a_cursor_that_is_a_number(
    gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    def numbered(asked: Asked, proper: Reply) -> Reply:
        found = json.loads(proper.body)
        cursor = found["data"]["cursor"]
        found["data"]["cursor"] = int(cursor.removeprefix("c")) if cursor else None
        return Reply(200, json.dumps(found).encode())

    gateway.fault = numbered
    assert departments.read_day(contract, D, NOW).row_count == len(rows())
    assert gateway.asked[-1].parameters["cursor"] == "40"


# what would do harm


def deep(levels: int) -> bytes:
    return answer('"x": ' + "[" * levels + "]" * levels + ",")


HARMFUL: dict[str, tuple[Callable[[], Reply], str]] = {
    "100,000 levels in a row": (lambda: Reply(200, deep(100_000)), "too_deep"),
    "600 levels in a row": (lambda: Reply(200, deep(600)), "too_deep"),
    "100,000 levels instead of an answer": (lambda: Reply(200, b"[" * 100_000), "malformed"),
    "deep objects in a short error": (lambda: Reply(500, b'{"a":' * 800), "server_error"),
    "a damaged deflate stream": (lambda: Reply(200, zlib.compress(answer())[:20] + b"?" * 90,
        {"Content-Encoding": "deflate"}), "damaged"),
    "a damaged gzip stream": (lambda: Reply(200, gzip.compress(answer())[:40] + b"?" * 90,
        {"Content-Encoding": "gzip"}), "damaged"),
    "a deflate stream cut short": (lambda: Reply(200, zlib.compress(answer())[:-20],
        {"Content-Encoding": "deflate"}), "truncated"),
    "a packed page of 800 MB": (lambda: Reply(200, gzip.compress(b" " * (800 << 20), 1),
        {"Content-Encoding": "gzip"}), "too_large"),
    "packed as nobody asked": (lambda: Reply(200, b"\x1b", {"Content-Encoding": "br"}), "encoding"),
    "a page that is too large": (lambda: Reply(200, b" " * (80 << 20)), "too_large"),
    "a page that is too large, without its length": (lambda: Reply(200, b" " * (80 << 20),
        manner="until closed"), "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_answer_is_one_failure_of_one_source(
    name: str, gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    make, reason = HARMFUL[name]
    reply = make()
    gateway.fault = lambda asked, proper: dataclasses.replace(reply, headers=dict(reply.headers))
    patience = dataclasses.replace(
        QUICK, page_deadline=20.0, drip_after=20.0, read_timeout=20.0, attempts=2
    )
    read = Departments(settings, lake, patience).read_day(contract, D, NOW)
    assert read.failure is not None
    assert read.failure.reason == reason
    assert "\n" not in str(read.failure)
    assert list(lake.table("raw", contract.table).rglob("manifest.json")) == []


def test_packed_answers_are_read_all_the_same(
    gateway: Gateway, departments: Departments, lake: Lake, contract: Contract
) -> None:
    raw = zlib.compressobj(wbits=-15)
    packings = [
        ("gzip", gzip.compress(answer())),
        ("deflate", zlib.compress(answer())),
        ("deflate", raw.compress(answer()) + raw.flush()),
    ]
    for number, (name, body) in enumerate(packings):
        sends(gateway, body, **{"Content-Encoding": name})
        assert kept(lake, departments.read_day(contract, D.replace(day=number + 1), NOW)) == ROW


def test_pages_without_end(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    """Each page is new, the total allows for them all: only bytes and time end it."""

    def more(asked: Asked, proper: Reply) -> Reply:
        row = {**ROW, "death_id": f"d{asked.number}"}
        return Reply(
            200,
            json.dumps(
                {"code": 0, "data": {"total": 10**15, "cursor": f"c{asked.number}", "rows": [row]}}
            ).encode(),
        )

    gateway.fault = more
    for bound in ({"read_bytes": 5_000}, {"read_deadline": 0.3}):
        read = Departments(settings, lake, dataclasses.replace(QUICK, **bound)).read_day(
            contract, D, NOW
        )
        assert read.failure is not None
        assert (read.failure.kind, read.failure.reason) == ("permanent", "endless")


@contextmanager
def dripping(send: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers each connection with what `send` does."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                with suppress(OSError):
                    send(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        ended.set()
        thread.join()
        server.close()


def _headers_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
    for _ in range(600):
        connection.sendall(b"a")
        time.sleep(0.02)


def _continues_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    for _ in range(600):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def _chunks_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(600):
        connection.sendall(b"1\r\n \r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "send", [_headers_without_end, _continues_without_end, _chunks_without_end]
)
def test_an_endless_drip_is_cut(
    send: Callable[[socket.socket], None], settings: Settings, lake: Lake, contract: Contract
) -> None:
    with dripping(send) as url:
        ours = dataclasses.replace(settings, gateway_url=url)
        patience = dataclasses.replace(QUICK, page_deadline=0.5, attempts=2)
        started = time.monotonic()
        read = Departments(ours, lake, patience).read_day(contract, D, NOW)
        assert time.monotonic() - started < 6.0
    assert read.failure is not None
    assert (read.failure.kind, read.failure.reason) == ("transient", "slow_drip")


def test_a_drip_before_the_run_holds_it_up_for_seconds_only(
    settings: Settings, contract: Contract
) -> None:
    """The question before a run has limits too."""
    with dripping(_headers_without_end) as url:
        started = time.monotonic()
        preflight(dataclasses.replace(settings, gateway_url=url), [contract], D, NOW)
        assert time.monotonic() - started < 15.0


@pytest.mark.parametrize(
    "name", ["100,000 levels in a row", "a damaged deflate stream", "a page that is too large"]
)
def test_a_harmful_answer_before_the_run(
    name: str, gateway: Gateway, settings: Settings, contract: Contract
) -> None:
    reply = HARMFUL[name][0]()
    gateway.fault = lambda asked, proper: dataclasses.replace(reply, headers=dict(reply.headers))
    preflight(settings, [contract], D, NOW)  # the record type's own failure, told when it is read


# the signature


def test_a_redirect_never_carries_the_signature(
    gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    with serving(Gateway()) as other:
        for status in (301, 302, 303, 307, 308):
            gateway.fault = lambda asked, proper, s=status: Reply(
                s, b"", {"Location": f"{other.url}/{PATH}"}
            )  # type: ignore[misc]
            read = departments.read_day(contract, D, NOW)
            assert read.failure is not None
            assert read.failure.reason == "login_page"
        assert other.asked == []


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_gateway_whose_certificate_nobody_signed_hears_nothing(
    settings: Settings, lake: Lake, contract: Contract, tmp_path: Path
) -> None:
    """The control: whoever trusts anything sends the signature there."""
    heard: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["gjgxjhpt_sign"])
            self.send_error(503)

        def log_message(self, *_: object) -> None: ...

    with self_signed(tmp_path, Listening) as port:
        far = dataclasses.replace(settings, gateway_url=f"https://127.0.0.1:{port}")
        failure = Departments(far, lake, QUICK).read_day(contract, D, NOW).failure
        assert failure is not None
        assert (failure.reason, heard) == ("certificate", [])
        sign = ExchangeSignature(b"key", "sid", "rid")
        requests.get(str(far.gateway_url), auth=sign, verify=False, timeout=5)
    assert len(heard) == 1


def test_a_signature_is_used_once(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    seen: list[str] = []
    proper_reply = gateway.reply

    def reply(path: str, parameters: dict[str, str], headers: dict[str, str]) -> Reply:
        seen.append(headers["gjgxjhpt_sign"])
        if len(seen) in (2, 4):
            return Reply(503, b"{}")
        return proper_reply(path, parameters, headers)

    gateway.reply = reply  # type: ignore[method-assign]
    assert Departments(settings, lake, QUICK).read_day(contract, D, NOW).row_count == len(rows())
    assert len(seen) > 5
    assert len(set(seen)) == len(seen)


def test_two_requests_of_one_millisecond_are_signed_apart() -> None:
    sign = ExchangeSignature(b"key", "sid", "a.b", clock=lambda: 1_700_000_000.0)
    signed = [
        sign(requests.Request("GET", "http://127.0.0.1/").prepare()).headers["gjgxjhpt_sign"]
        for _ in range(50)
    ]
    assert len(set(signed)) == 50


# connections


@pytest.mark.parametrize(
    ("name", "url", "words"),
    [
        ("YIHU_GATEWAY_URL", "http://gateway.example/api", "write https://"),
        ("YIHU_GATEWAY_URL", "http://10.1.2.3:8080/api", "write https://"),
        ("YIHU_FRONT_DB_URL", "postgresql://u:p@10.1.2.3/front", "sslmode=verify-full"),
        (
            "YIHU_FRONT_DB_URL",
            "postgresql+psycopg://u@front.example/front?sslmode=require",
            "sslmode=verify-full",
        ),
        ("YIHU_FRONT_DB_URL", "mysql+pymysql://u:p@front.example/front", "ssl_ca"),
        ("YIHU_FRONT_DB_URL", "oracle+oracledb://u:p@front.example/x", "tcps"),
        ("YIHU_FRONT_DB_URL", "oracle+oracledb://u:p@front.example/tcps", "tcps"),
        (
            "YIHU_FRONT_DB_URL",
            "oracle+oracledb://u:p@f.example/x?protocol=tcps&ssl_server_dn_match=no",
            "tcps",
        ),
        ("YIHU_FRONT_DB_URL", "mysql+pymysql://u:p@localhost/f?host=10.1.2.3", "ssl_ca"),
        (
            "YIHU_FRONT_DB_URL",
            "mysql+pymysql://u:p@f.example/f?ssl_ca=/c&ssl_check_hostname=false",
            "ssl_ca",
        ),
        (
            "YIHU_FRONT_DB_URL",
            "mssql+pyodbc://u:p@f.example/f?Encrypt=yes&TrustServerCertificate=yes",
            "TrustServerCertificate",
        ),
        (
            "YIHU_FRONT_DB_URL",
            "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BSERVER%3Dtcp%3Af.example%2C1433%3BUID%3Du",
            "Encrypt=yes",
        ),
        ("YIHU_WAREHOUSE_URL", "postgresql://u:p@localhost/y?hostaddr=10.1.2.3", "sslmode"),
        ("YIHU_WAREHOUSE_URL", "postgresql:///y?host=10.1.2.3", "sslmode"),
        ("YIHU_WAREHOUSE_URL", "postgresql:///y?host=localhost,db.example", "sslmode"),
        ("YIHU_WAREHOUSE_URL", "postgresql:///y?host=/run&host=db.example", "sslmode"),
        ("YIHU_WAREHOUSE_URL", "postgresql://u:p@localhost/y?service=county", "sslmode"),
        ("YIHU_DAGSTER_DB_URL", "postgresql+psycopg2://u:p@db.example/dagster", "sslmode"),
    ],
)
def test_plain_connections_to_another_host_are_refused(
    name: str, url: str, words: str, tmp_path: Any
) -> None:
    given = {
        "YIHU_HOME": str(tmp_path),
        "YIHU_GATEWAY_SID": "s",
        "YIHU_GATEWAY_KEY": "k",
        name: url,
    }
    with pytest.raises(SettingsError) as refused:
        load_settings(given)
    (problem,) = refused.value.problems
    assert name in problem
    assert words in problem
    assert ":p@" not in problem
    assert load_settings({**given, "YIHU_PLAIN": "allow"}).plain


@pytest.mark.parametrize("named", ["PGHOST", "PGHOSTADDR", "PGSERVICE"])
def test_a_host_that_the_environment_names_is_another_one(named: str, tmp_path: Any) -> None:
    given = {"YIHU_HOME": str(tmp_path), "YIHU_WAREHOUSE_URL": "postgresql:///yihu"}
    assert load_settings({**given, "PGHOST": "/var/run/postgresql"})
    with pytest.raises(SettingsError, match="YIHU_WAREHOUSE_URL names another host without TLS"):
        load_settings({**given, named: "10.1.2.3"})


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("YIHU_GATEWAY_URL", "https://gateway.example/api"),
        ("YIHU_GATEWAY_URL", "http://127.0.0.1:8080"),
        ("YIHU_GATEWAY_URL", "http://[::1]:8080"),
        ("YIHU_FRONT_DB_URL", "sqlite:////srv/front.db"),
        ("YIHU_FRONT_DB_URL", "postgresql:///front?host=/var/run/postgresql"),
        ("YIHU_FRONT_DB_URL", "postgresql://u@127.0.0.1/front"),
        ("YIHU_FRONT_DB_URL", "postgresql://u@front.example/front?sslmode=verify-full"),
        ("YIHU_FRONT_DB_URL", "postgresql://u:p@[::1]:5432,127.0.0.1/front?host=localhost"),
        ("YIHU_FRONT_DB_URL", "oracle+oracledb://u:p@front.example/x?protocol=tcps"),
        (
            "YIHU_FRONT_DB_URL",
            "mssql+pyodbc:///?odbc_connect=SERVER%3Df.example%3BEncrypt%3Dstrict",
        ),
        ("YIHU_FRONT_DB_URL", "mysql+pymysql://u:p@f.example/f?ssl_ca=/c&ssl_check_hostname=true"),
    ],
)
def test_others_are_taken(name: str, url: str, tmp_path: Any) -> None:
    assert not load_settings(
        {"YIHU_HOME": str(tmp_path), "YIHU_GATEWAY_SID": "s", "YIHU_GATEWAY_KEY": "k", name: url}
    ).plain


def test_a_page_taken_up_again_is_the_same_page() -> None:
    """A killed read goes on with the pages that it kept clean."""
    came = answer('"x": NaN,')
    page = read_page(came)
    assert page.came == came
    again = read_page(page.body)
    assert (again.mark, again.rows, again.came) == (page.mark, page.rows, None)
