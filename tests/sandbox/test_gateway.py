"""The API as the design has it, statement by statement."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from expectations.contract import contract_for
from sandbox.county import County
from sandbox.days import end_of
from sandbox.faults import API_FAULTS, Fault, FaultPlan
from sandbox.gateway import serve, signature

SID, KEY = "caller", b"0123456789abcdef"
UNTIL = "2026-11-19T23:59:59.999999+08:00"
SINCE = "2026-11-09T23:59:59.999999+08:00"
DAY = end_of(datetime(2026, 11, 19))


@dataclass
class Caller:
    """A signing caller."""

    url: str
    plan: FaultPlan
    session: requests.Session = field(default_factory=requests.Session)

    def get(
        self,
        path: str,
        header: dict[str, str] | None = None,
        skew_ms: int = 0,
        key: bytes = KEY,
        **parameters: Any,
    ) -> requests.Response:
        rid = path.replace("/", ".")
        rtime = str(int(time.time() * 1000) + skew_ms)
        headers = {
            "gjgxjhpt_rid": rid,
            "gjgxjhpt_sid": SID,
            "gjgxjhpt_rtime": rtime,
            "gjgxjhpt_sign": signature(key, SID, rid, rtime),
        }
        return self.session.get(
            f"{self.url}/{path}", params=parameters, headers=headers | (header or {}), timeout=20
        )

    def pages(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not found or found[-1]["cursor"]:
            cursor = {"cursor": found[-1]["cursor"]} if found else {}
            answer = self.get(path, **parameters, **cursor).json(parse_float=Decimal)
            assert answer["code"] == 0, answer["message"]
            found.append(answer["data"])
        return found

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        return [row for page in self.pages(path, **parameters) for row in page["rows"]]


@pytest.fixture(scope="module")
def caller(county: County) -> Iterator[Caller]:
    plan = FaultPlan()
    with serve(county, SID, KEY, plan) as url:
        yield Caller(url, plan)


def _refused(answer: requests.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "message", "data"}
    assert body["data"] is None
    assert body["code"] != 0
    return body


def test_a_row_has_every_physical_name_and_types_as_written(caller: Caller) -> None:
    answer = caller.get("health_insurance/settlements", until=UNTIL, limit=50)
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert (body["code"], body["message"], set(body["data"])) == (
        0,
        "ok",
        {"total", "cursor", "rows"},
    )
    names = ["_op"] + [f.physical_name for f in contract_for("settlements").fields]
    assert all(list(row) == names for row in body["data"]["rows"])
    assert re.search(r'"medfee_sumamt":-?[0-9]+\.[0-9]{2},', answer.text)
    row = body["data"]["rows"][0]
    assert re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+08:00", row["updt_time"])
    assert row["init_setl_id"] is None or isinstance(row["init_setl_id"], str)


def test_booleans_integers_dates_and_nulls(caller: Caller) -> None:
    rows = caller.rows("rural_revitalisation/households", until=UNTIL, limit=10_000)
    assert {type(row["饮水是否安全"]) for row in rows} == {bool}
    assert {type(row["帮扶措施数"]) for row in rows} == {int}
    assert {type(row["最近走访日期"]) for row in rows} == {str, type(None)}
    assert all(
        re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", row["最近走访日期"])
        for row in rows
        if row["最近走访日期"]
    )


def test_what_does_not_fit_its_type_is_text(caller: Caller, county: County) -> None:
    rows = caller.rows(
        "health_insurance/enrolments", until="2028-12-31T23:59:59+08:00", limit=10_000
    )
    assert {row["insu_year"] for row in rows if not isinstance(row["insu_year"], int)} == {
        "二〇二六"
    }


@pytest.mark.parametrize("since", [None, SINCE])
def test_a_window_is_whole_and_in_order_whatever_the_page_size(
    caller: Caller, county: County, since: str | None
) -> None:
    parameters = {"until": UNTIL} | ({"since": since} if since else {})
    pages = caller.pages(
        "health_insurance/enrolments", limit=700 if since is None else 90, **parameters
    )
    rows = [row for page in pages for row in page["rows"]]
    assert {page["total"] for page in pages} == {len(rows)}
    assert len(pages) > 3
    order = [(row["updt_time"], row["psn_insu_id"]) for row in rows]
    assert order == sorted(order)
    assert len({row["psn_insu_id"] for row in rows}) == len(rows)
    assert rows == caller.rows("health_insurance/enrolments", limit=10_000, **parameters)
    expected = county.rows("enrolments", DAY, DAY - timedelta(days=10) if since else None)
    assert [row["psn_insu_id"] for row in rows] == expected["psn_insu_id"].to_pylist()


def test_since_is_exclusive_and_until_inclusive(caller: Caller) -> None:
    rows = caller.rows("health_insurance/enrolments", until=UNTIL, since=SINCE)
    middle = rows[len(rows) // 2]["updt_time"]
    upto = {
        row["psn_insu_id"]
        for row in caller.rows("health_insurance/enrolments", until=middle, since=SINCE)
    }
    after = {
        row["psn_insu_id"]
        for row in caller.rows("health_insurance/enrolments", until=UNTIL, since=middle)
    }
    keys = [row["psn_insu_id"] for row in rows if row["updt_time"] == middle]
    assert all(key in upto and key not in after for key in keys)


def test_offsets_other_than_beijing_are_understood(caller: Caller) -> None:
    ours = caller.get("civil_affairs/deaths", until="2026-11-19T20:00:00+08:00").text
    assert caller.get("civil_affairs/deaths", until="2026-11-19T12:00:00Z").text == ours


def test_only_the_latest_version_by_until_is_given(caller: Caller) -> None:
    early = {
        row["psn_insu_id"]: row
        for row in caller.rows(
            "health_insurance/enrolments", until="2026-08-01T00:00:00+08:00", limit=10_000
        )
    }
    late = {
        row["psn_insu_id"]: row
        for row in caller.rows("health_insurance/enrolments", until=UNTIL, limit=10_000)
    }
    changed = [key for key in early if late[key]["updt_time"] != early[key]["updt_time"]]
    assert len(changed) > len(early) / 2
    assert all(late[key]["updt_time"] > early[key]["updt_time"] for key in changed)


def test_withdrawals_are_counted_and_carry_the_last_known_fields(caller: Caller) -> None:
    pages = caller.pages("health_insurance/enrolments", until=UNTIL, limit=10_000)
    gone = [row for page in pages for row in page["rows"] if row["_op"] == "D"]
    assert gone
    assert all(row["insu_year"] for row in gone)
    assert pages[0]["total"] == sum(len(page["rows"]) for page in pages)


def test_a_page_may_be_empty_and_still_have_a_cursor(caller: Caller) -> None:
    lengths = []
    for day in range(1, 12):
        pages = caller.pages(
            "health_insurance/enrolments",
            until=f"2026-11-{day + 8:02d}T12:00:00+08:00",
            since=f"2026-10-{day:02d}T00:00:00+08:00",
        )
        lengths += [
            len(page["rows"])
            for page in caller.pages(
                "health_insurance/enrolments",
                until=UNTIL,
                since=f"2026-10-{day:02d}T00:00:00+08:00",
                limit=300,
            )
        ]
        assert sum(len(page["rows"]) for page in pages) == pages[0]["total"]
    assert 0 in lengths


def test_without_until_the_answer_goes_to_all_that_is_known(caller: Caller) -> None:
    rows = caller.rows("civil_affairs/deaths", limit=20)
    assert rows == caller.rows("civil_affairs/deaths", limit=10_000)
    assert (
        max(row["updated_at"] for row in rows)
        <= datetime.now().isoformat()[:10] + "T23:59:59+08:00"
    )


def test_a_cursor_belongs_to_its_window(caller: Caller) -> None:
    cursor = caller.get("health_insurance/enrolments", until=UNTIL, limit=100).json()["data"][
        "cursor"
    ]
    for path, parameters in (
        ("health_insurance/enrolments", {"until": "2026-11-18T00:00:00+08:00"}),
        ("health_insurance/enrolments", {"until": UNTIL, "since": SINCE}),
        ("health_insurance/settlements", {"until": UNTIL}),
    ):
        body = _refused(caller.get(path, cursor=cursor, **parameters), 200)
        assert body["code"] == 40002
    assert (
        _refused(
            caller.get("health_insurance/enrolments", until=UNTIL, cursor="bm90IGEgY3Vyc29y"), 200
        )["code"]
        == 40002
    )
    assert (
        _refused(caller.get("health_insurance/enrolments", until=UNTIL, cursor="???"), 200)["code"]
        == 40002
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 0},
        {"limit": 10_001},
        {"limit": "many"},
        {"until": "2026-11-19T00:00:00"},
        {"since": "yesterday"},
        {"page": 2},
    ],
)
def test_a_wrong_parameter_is_a_400(caller: Caller, parameters: dict[str, Any]) -> None:
    _refused(caller.get("civil_affairs/deaths", **parameters), 400)


def test_a_limit_of_ten_thousand_is_allowed_and_a_thousand_the_default(caller: Caller) -> None:
    assert (
        len(
            caller.get("health_insurance/enrolments", until=UNTIL, limit=10_000).json()["data"][
                "rows"
            ]
        )
        == 10_000
    )
    assert (
        len(caller.get("health_insurance/enrolments", until=UNTIL).json()["data"]["rows"]) == 1000
    )


def test_signature_caller_record_type_and_clock_are_checked(caller: Caller) -> None:
    path = "civil_affairs/deaths"
    assert caller.get(path).status_code == 200
    _refused(caller.get(path, key=b"another key"), 401)
    _refused(caller.get(path, header={"gjgxjhpt_sid": "somebody"}), 401)
    _refused(caller.get(path, header={"gjgxjhpt_rid": "civil_affairs.assistance"}), 401)
    _refused(caller.get(path, header={"gjgxjhpt_sign": ""}), 401)
    _refused(caller.get(path, skew_ms=310_000), 401)
    _refused(caller.get(path, skew_ms=-310_000), 401)
    assert caller.get(path, skew_ms=280_000).status_code == 200
    other = "civil_affairs.assistance"
    rtime = str(int(time.time() * 1000))
    swapped = {
        "gjgxjhpt_rid": other,
        "gjgxjhpt_rtime": rtime,
        "gjgxjhpt_sign": signature(KEY, SID, other, rtime),
    }
    _refused(caller.get(path, header=swapped), 401)


@pytest.mark.parametrize(
    "path",
    ["civil_affairs/divorces", "health_insurance/deaths", "deaths", "civil_affairs/deaths/1"],
)
def test_an_unknown_record_type_is_a_404(caller: Caller, path: str) -> None:
    _refused(caller.get(path), 404)


@pytest.mark.parametrize("fault", API_FAULTS)
def test_each_fault_happens_where_and_as_often_as_planned(caller: Caller, fault: str) -> None:
    caller.plan.faults[:] = [Fault("deaths", fault, at_page=2, times=1)]
    caller.plan.happened.clear()
    sound = caller.get("civil_affairs/deaths", until=UNTIL, limit=20)
    cursor = sound.json()["data"]["cursor"]
    if fault == "stalled":
        with pytest.raises(requests.RequestException):
            caller.session.get(
                f"{caller.url}/civil_affairs/deaths",
                headers=_signed(),
                params={"until": UNTIL, "limit": 20, "cursor": cursor},
                timeout=1,
            )
    else:
        _check_fault(caller, fault, sound, cursor)
    assert caller.plan.happened == [("deaths", fault, 2)]
    assert (
        caller.get("civil_affairs/deaths", until=UNTIL, limit=20, cursor=cursor).json()["code"] == 0
    )


def _signed() -> dict[str, str]:
    rtime = str(int(time.time() * 1000))
    rid = "civil_affairs.deaths"
    return {
        "gjgxjhpt_rid": rid,
        "gjgxjhpt_sid": SID,
        "gjgxjhpt_rtime": rtime,
        "gjgxjhpt_sign": signature(KEY, SID, rid, rtime),
    }


def _check_fault(caller: Caller, fault: str, sound: requests.Response, cursor: str) -> None:
    total, rows = sound.json()["data"]["total"], 20
    statuses = {"401": 401, "clock_skew": 401, "404": 404, "429": 429, "500": 500, "503": 503}
    if fault in ("truncated", "reset"):
        with pytest.raises(requests.RequestException):
            caller.get("civil_affairs/deaths", until=UNTIL, limit=20, cursor=cursor)
        return
    answer = caller.get("civil_affairs/deaths", until=UNTIL, limit=20, cursor=cursor)
    if fault in statuses:
        _refused(answer, statuses[fault])
        assert (fault == "429") == ("Retry-After" in answer.headers)
    elif fault in ("code", "cursor_lost"):
        assert (_refused(answer, 200)["code"] == 40002) == (fault == "cursor_lost")
    elif fault == "html":
        assert answer.headers["Content-Type"].startswith("text/html")
    else:
        data = json.loads(answer.text)["data"]
        assert (data["total"] - total, len(data["rows"]) - rows) == {
            "slow": (0, 0), "repeated_page": (0, rows), "wrong_total": (1, 0),
            "empty_answer": (0, -rows),
        }[fault]  # fmt: skip


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault"):
        Fault("deaths", "gremlins")
