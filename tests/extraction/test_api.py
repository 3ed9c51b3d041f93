"""The API's faults: what passes is retried within a budget, what does not is told in one line;
nothing lost, nothing doubled.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from expectations.contract import Contract
from resources.departments import DayRead, Departments, RetryPolicy
from resources.lake import Lake
from resources.settings import Settings
from tests.extraction import matrix
from tests.extraction.conftest import NOW, QUICK, D
from tests.extraction.gateway import Asked, Fault, Gateway, Reply, error, page, serving

PATH = "civil_affairs/deaths"
ROWS = 44


def rows(count: int = ROWS) -> list[dict[str, Any]]:
    return [
        {
            "_op": "U",
            "death_id": f"d{n:05d}",
            "id_number": f"61092119{n:010d}",
            "name": f"张{n}",
            "died_on": "2026-11-01",
            "updated_at": f"2026-11-{1 + n % 9:02d}T10:00:{n % 60:02d}+08:00",
        }
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def county(gateway: Gateway) -> None:
    gateway.rows[PATH] = rows()


def held(lake: Lake, read: DayRead) -> list[str]:
    """The record keys in the pages of a read's batches, in order."""
    found = []
    for batch in read.batches:
        for name in batch.files:
            answer = json.loads(
                (lake.table("raw", read.table) / batch.batch_id / name).read_bytes()
            )
            found += [row["death_id"] for row in answer["data"]["rows"]]
    return found


def on_request(*numbers: int) -> Callable[[Callable[[Asked, Reply], Reply | None]], Fault]:
    """The fault strikes at these requests (counted from 1); at every one if there are none."""

    def wrap(fault: Callable[[Asked, Reply], Reply | None]) -> Fault:
        return lambda asked, proper: (
            fault(asked, proper) if not numbers or asked.number in numbers else None
        )

    return wrap


def wrong_total(asked: Asked, proper: Reply) -> Reply:
    answer = json.loads(proper.body)
    if answer["data"]:
        answer["data"]["total"] += 3
    return Reply(200, json.dumps(answer).encode())


class Repeats:
    """Sends the page before once more, under a cursor that goes on."""

    def __init__(self, with_cursor: bool) -> None:
        self.before: Reply | None = None
        self.with_cursor = with_cursor

    def __call__(self, asked: Asked, proper: Reply) -> Reply | None:
        before, self.before = self.before, proper
        if before is None or asked.number not in (3,):
            return None
        if not self.with_cursor:
            return before
        old, new = json.loads(before.body), json.loads(proper.body)
        old["data"]["cursor"] = new["data"]["cursor"]
        return Reply(200, json.dumps(old).encode())


def late_again(asked: Asked, proper: Reply) -> Reply | None:
    """The cursor is forgotten half way, once."""
    return error(200, 40002) if asked.number == 4 else None


def doubled(asked: Asked, proper: Reply) -> Reply:
    """Every row of the page twice."""
    answer = json.loads(proper.body)
    answer["data"]["rows"] *= 2
    return Reply(200, json.dumps(answer).encode())


HTML = Reply(
    200, b"<!doctype html><title>login</title>", {"Content-Type": "text/html; charset=utf-8"}
)

PASSING: list[tuple[str, Fault, str]] = [
    (
        "429 with Retry-After",
        on_request(3)(lambda a, p: error(429, 42900, **{"Retry-After": "1"})),
        "resumed",
    ),
    ("500", on_request(3)(lambda a, p: error(500, 50000)), "resumed"),
    ("503 twice", on_request(3, 4)(lambda a, p: error(503, 50300)), "resumed"),
    ("code ≠ 0 under HTTP 200", on_request(3)(lambda a, p: error(200, 50001)), "resumed"),
    ("truncated body", on_request(3)(lambda a, p: dataclasses.replace(p, manner="cut")), "resumed"),
    (
        "truncated body, length to match",
        on_request(3)(lambda a, p: Reply(200, p.body[:-40])),
        "resumed",
    ),
    ("reset", on_request(3)(lambda a, p: dataclasses.replace(p, manner="reset")), "resumed"),
    (
        "reset at the first page",
        on_request(1)(lambda a, p: dataclasses.replace(p, manner="reset")),
        "retried",
    ),
    ("slow drip", on_request(3)(lambda a, p: dataclasses.replace(p, manner="drip")), "resumed"),
    ("HTML login page", on_request(3)(lambda a, p: HTML), "resumed"),
    (
        "redirect to a login page",
        on_request(3)(lambda a, p: Reply(302, b"", {"Location": "/login"})),
        "resumed",
    ),
    ("empty body", on_request(3)(lambda a, p: Reply(200, b"")), "resumed"),
    ("empty answer", on_request(2)(lambda a, p: page([], ROWS, None)), "begun anew"),
    ("empty page with a cursor", on_request(2)(lambda a, p: page([], ROWS, "c010")), "read"),
    ("repeated page", Repeats(with_cursor=False), "resumed"),
    ("repeated page under a new cursor", Repeats(with_cursor=True), "resumed"),
    ("page with its rows twice", on_request(3)(doubled), "resumed"),
    ("last page with its rows twice", on_request(5)(doubled), "begun anew"),
    ("wrong total on one page", on_request(3)(wrong_total), "begun anew"),
    ("wrong total on the first page", on_request(1)(wrong_total), "begun anew"),
    ("cursor lost half way", late_again, "begun anew"),
]


@pytest.mark.parametrize(
    ("name", "fault", "outcome"), PASSING, ids=[name for name, _, _ in PASSING]
)
def test_what_passes_is_retried(
    name: str,
    fault: Fault,
    outcome: str,
    gateway: Gateway,
    departments: Departments,
    contract: Contract,
    lake: Lake,
) -> None:
    gateway.fault = fault
    read = departments.read_day(contract, D, NOW)
    assert read.failure is None
    assert read.status == "read"
    assert sorted(held(lake, read)) == sorted(row["death_id"] for row in rows())
    assert read.batches[0].row_count == ROWS == read.batches[0].total
    firsts = sum("cursor" not in asked.parameters for asked in gateway.asked)
    seen = "begun anew" if firsts > 1 and outcome != "retried" else outcome
    assert seen == outcome
    assert firsts == (2 if outcome in ("begun anew", "retried") else 1)
    matrix.record("api", name, outcome)


LASTING: list[tuple[str, Fault, str, str, int]] = [
    ("401", lambda a, p: error(401, 40100), "permanent", "unauthorised", 1),
    (
        "clock skew",
        lambda a, p: error(401, 40101, Date="Tue, 10 Nov 2020 00:00:00 GMT"),
        "permanent",
        "unauthorised",
        1,
    ),
    ("404", lambda a, p: error(404, 40400), "permanent", "not_found", 1),
    ("400", lambda a, p: error(400, 40001), "permanent", "bad_request", 1),
    ("401 half way", on_request(3)(lambda a, p: error(401, 40100)), "permanent", "unauthorised", 3),
    (
        "429 always",
        lambda a, p: error(429, 42900, **{"Retry-After": "0"}),
        "transient",
        "too_many_requests",
        3,
    ),
    (
        "429, Retry-After beyond the budget",
        lambda a, p: error(429, 42900, **{"Retry-After": "600"}),
        "transient",
        "too_many_requests",
        1,
    ),
    ("500 always", lambda a, p: error(500, 50000), "transient", "server_error", 3),
    ("code ≠ 0 always", lambda a, p: error(200, 50001), "transient", "code", 3),
    (
        "truncated always",
        lambda a, p: dataclasses.replace(p, manner="cut"),
        "transient",
        "truncated",
        3,
    ),
    ("reset always", lambda a, p: dataclasses.replace(p, manner="reset"), "transient", "reset", 3),
    (
        "slow drip always",
        lambda a, p: dataclasses.replace(p, manner="drip"),
        "transient",
        "slow_drip",
        3,
    ),
    ("HTML login page always", lambda a, p: HTML, "transient", "login_page", 3),
    ("wrong total always", wrong_total, "transient", "wrong_total", 15),
    ("empty answer always", lambda a, p: page([], ROWS, None), "transient", "wrong_total", 3),
    (
        "cursor always lost",
        lambda a, p: error(200, 40002) if "cursor" in a.parameters else None,
        "transient",
        "cursor_lost",
        6,
    ),
    ("not JSON", lambda a, p: Reply(200, b"it works"), "transient", "malformed", 3),
    ("other JSON", lambda a, p: Reply(200, b'{"rows": []}'), "transient", "malformed", 3),
]


@pytest.mark.parametrize(
    ("name", "fault", "kind", "reason", "asked"), LASTING, ids=[name for name, *_ in LASTING]
)
def test_what_lasts_is_one_clear_line(
    name: str,
    fault: Fault,
    kind: str,
    reason: str,
    asked: int,
    gateway: Gateway,
    departments: Departments,
    contract: Contract,
    lake: Lake,
) -> None:
    gateway.fault = fault
    read = departments.read_day(contract, D, NOW)
    assert read.status == "failed"
    assert read.batches == ()
    assert read.failure is not None
    assert (read.failure.kind, read.failure.reason) == (kind, reason)
    assert len(gateway.asked) == asked == read.requests
    message = str(read.failure)
    assert message.startswith(f"civil_affairs/deaths, {D}: ")
    assert "\n" not in message
    for secret in ("张三", "612429197001011234", "127.0.0.1", "a-key-for-tests"):
        assert secret not in message
    pointer = lake.read_note("raw", contract.table, D)
    assert pointer is not None
    assert pointer["failure"] == {"kind": kind, "reason": reason, "message": message}
    matrix.record("api", name, f"carried forward ({kind})")


def test_clock_skew_is_named(
    gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    gateway.fault = lambda a, p: error(401, 40101, Date="Tue, 10 Nov 2020 00:00:00 GMT")
    failure = departments.read_day(contract, D, NOW).failure
    assert "minutes ahead of the platform's" in str(failure)


def test_unreachable(settings: Settings, lake: Lake, contract: Contract) -> None:
    with serving(Gateway()) as gone:
        url = gone.url
    read = Departments(dataclasses.replace(settings, gateway_url=url), lake, QUICK).read_day(
        contract, D, NOW
    )
    assert read.failure is not None
    assert (read.failure.kind, read.failure.reason) == ("transient", "unreachable")
    matrix.record("api", "gateway unreachable", "carried forward (transient)")


def test_silence(gateway: Gateway, settings: Settings, lake: Lake, contract: Contract) -> None:
    def sleeps(asked: Asked, proper: Reply) -> Reply | None:
        time.sleep(0.5 if asked.number == 2 else 0)
        return None

    gateway.fault = sleeps
    read = Departments(settings, lake, dataclasses.replace(QUICK, read_timeout=0.2)).read_day(
        contract, D, NOW
    )
    assert sorted(held(lake, read)) == sorted(row["death_id"] for row in rows())
    matrix.record("api", "silence", "resumed")


def test_faults_all_over(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    """Every passing fault, one after the other, over one long read."""
    kinds = itertools.cycle(
        [
            lambda p: error(500, 50000),
            lambda p: None,
            lambda p: dataclasses.replace(p, manner="reset"),
            lambda p: None,
            lambda p: dataclasses.replace(p, manner="cut"),
            lambda p: None,
            lambda p: HTML,
        ]
    )
    gateway.rows[PATH] = rows(300)
    gateway.fault = lambda asked, proper: next(kinds)(proper)
    read = Departments(settings, lake, dataclasses.replace(QUICK, attempts=5)).read_day(
        contract, D, NOW
    )
    assert sorted(held(lake, read)) == sorted(row["death_id"] for row in rows(300))
    assert (
        sum("cursor" not in asked.parameters for asked in gateway.asked) == 2
    )  # the very first request met the 500


def test_a_killed_read_goes_on_where_it_was(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    class Killed(BaseException):
        pass

    def kill(seconds: float) -> None:
        raise Killed

    gateway.fault = on_request(4)(lambda a, p: error(500, 50000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", kill)
        with pytest.raises(Killed):
            Departments(settings, lake, QUICK).read_day(contract, D, NOW)
    left = [p.name for p in (lake.table("raw", contract.table)).iterdir()]
    assert left == [".deaths-20261110-01.reading"]
    asked = len(gateway.asked)
    read = Departments(settings, lake, QUICK).read_day(contract, D, NOW)
    assert len(gateway.asked) - asked == 2
    assert sorted(held(lake, read)) == sorted(row["death_id"] for row in rows())
    assert [p.name for p in (lake.table("raw", contract.table)).iterdir() if p.is_dir()] == [
        "deaths-20261110-01"
    ]
    straight = Departments(settings, Lake(settings.home / "other"), QUICK).read_day(
        contract, D, NOW
    )
    assert straight.batches[0].sha256 == read.batches[0].sha256
    matrix.record("api", "kill -9 between pages", "resumed")


def test_a_half_written_page_is_no_page(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    departments = Departments(settings, lake, QUICK)
    work = departments.store.begin(contract.table, "deaths-20261110-01")
    (work / "page-00001.part").write_bytes(b'{"code": 0')
    (work / "window.json").write_bytes(b"{}")
    read = departments.read_day(contract, D, NOW)
    assert sorted(held(lake, read)) == sorted(row["death_id"] for row in rows())
    assert not list((lake.table("raw", contract.table) / "deaths-20261110-01").glob("*.part"))
    assert not list((lake.table("raw", contract.table) / "deaths-20261110-01").glob("window.json"))


def test_pages_are_kept_as_they_came(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    sent: list[bytes] = []

    def note(asked: Asked, proper: Reply) -> None:
        sent.append(proper.body)

    gateway.fault = note
    read = departments.read_day(contract, D, NOW)
    folder = lake.table("raw", contract.table) / read.batches[0].batch_id
    assert [(folder / name).read_bytes() for name in read.batches[0].files] == sent
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert read.batches[0].columns == [
        "_op",
        "death_id",
        "id_number",
        "name",
        "died_on",
        "updated_at",
    ]


def test_nothing_of_a_window_is_a_batch_too(
    gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    gateway.rows[PATH] = []
    read = departments.read_day(contract, D, NOW)
    assert (read.status, read.row_count, read.batches[0].total) == ("read", 0, 0)


@pytest.mark.slow
def test_a_large_read_costs_little(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    """Pages of 10,000 rows each cost less than making Python of every row would: of a page little
    more than its ends is read."""
    pages = 12
    row = json.dumps(
        {**rows(1)[0], **{f"field_{n}": "0123456789" for n in range(12)}}, ensure_ascii=False
    )
    bodies = []
    for number in range(pages):
        body = ",".join(row.replace("d00000", f"d{number:03d}{n:05d}") for n in range(10_000))
        cursor = f'"c{number + 1}"' if number + 1 < pages else "null"
        data = f'{{"total": {pages}0000, "cursor": {cursor}, "rows": [{body}]}}'
        bodies.append(f'{{"code": 0, "message": "ok", "data": {data}}}'.encode())

    def serve(asked: Asked, proper: Reply) -> Reply:
        return Reply(200, bodies[int(asked.parameters.get("cursor", "c0").removeprefix("c"))])

    gateway.rows[PATH] = []
    gateway.fault = serve
    began = time.thread_time()
    for body in bodies:
        json.loads(body)
    decoded = time.thread_time()
    read = Departments(settings, lake, RetryPolicy()).read_day(contract, D, NOW)
    spent = (time.thread_time() - decoded) / (decoded - began)
    size = sum(map(len, bodies)) / 1e6
    print(
        f"\n{size:.0f} MB in {pages} pages: {spent:.2f} of what json.loads takes,"
        f" {read.seconds:.1f} s"
    )
    assert read.row_count == pages * 10_000
    assert spent < 1.5
