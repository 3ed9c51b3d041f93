"""Alerts: one per trouble, on its first attempt, told once; what it says; the sinks; and no
identity in any of them.
"""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.raw import read_facts
from assets.valid import valid_checks
from pipelines.automation.alerts import alert_after, by_cause
from resources.departments import SourceError
from resources.runtime.alert import Alert
from resources.runtime.alerts import AlertBook, Observation, alert_book, without_numbers
from resources.runtime.begin import NEXT_STEP, NOT_BEGUN, REASON
from resources.runtime.failures import failure
from resources.settings import SHANGHAI, AlertSettings, Settings, SettingsError, load_settings
from resources.sinks import AlertNotSent
from tests.self_signed import self_signed
from warehouse.publication.errors import GateClosed
from warehouse.scoring_rules import RuleError

DAY = "2026-11-19"
NUMBER, NAME = "612429197001011234", "张三"
RAW, VALID = "raw_emergency_management__losses", "valid_emergency_management__losses"
Events = Sequence[dg.AssetCheckResult]


def ledger(**differs: Any) -> dict[str, Any]:
    """A day's ledger on which all is well."""
    well = {
        "rules": [], "rejected": None, "drift": [], "today": None, "state": "ok", "age_days": 0,
        "in_force": 5, "in_force_before": 5, "new_keys": 0, "withdrawn_keys": 0,
    }  # fmt: skip
    return {**well, **differs}


def read_check(error: SourceError | None) -> dg.AssetCheckResult:
    facts = {"what now": str(error), **read_facts(error)} if error else {"what now": "5 rows, read"}
    return dg.AssetCheckResult(
        check_name="read", passed=error is None, severity=dg.AssetCheckSeverity.WARN, metadata=facts
    )


def down(day: str = DAY, reason: str = "unreachable") -> SourceError:
    return SourceError(
        "transient",
        "emergency_management",
        "losses",
        date.fromisoformat(day),
        reason,
        "the gateway cannot be reached",
        "call them",
    )


@dataclass
class Runs:
    """Runs of a small job on an ephemeral instance, each followed by its alerts."""

    settings: Settings
    instance: dg.DagsterInstance
    last: dg.DagsterRun | None = None

    def of(
        self,
        asset: str,
        results: Events = (),
        day: str = DAY,
        fails: BaseException | None = None,
        retries: int = 0,
        times: int = 9,
    ) -> list[Alert]:
        """`times`: how many attempts fail."""
        failing = iter([fails] * times)

        specs = [dg.AssetCheckSpec(r.check_name or "", asset=asset) for r in results]
        policy = dg.RetryPolicy(max_retries=retries) if retries else None

        @dg.asset(name=asset, check_specs=specs, retry_policy=policy)
        def made() -> dg.MaterializeResult:
            if (failed := next(failing, None)) is not None:
                raise failed
            return dg.MaterializeResult(check_results=list(results))

        done = dg.materialize(
            [made], instance=self.instance, tags={"dagster/partition": day}, raise_on_error=False
        )
        self.last = self.instance.get_run_by_id(done.run_id)
        return self.again()

    def again(self) -> list[Alert]:
        """What the daemon's sensor does after `make sync` has done it."""
        assert self.last is not None
        return alert_after(self.settings, self.instance, self.last)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Runs(load_settings({"YIHU_HOME": str(tmp_path / "home")}), instance)


def told(alerts: list[Alert]) -> Alert:
    """The only alert, which says what to do, where to look, and nobody's name."""
    assert len(alerts) == 1, alerts
    alert = alerts[0]
    text = alert.text()
    assert alert.next_step
    assert f"/runs/{alert.run_id}" in alert.where
    assert alert.asset in text
    assert not re.search(r"[0-9]{17}[0-9Xx]", text)
    assert NAME not in text
    return alert


def test_a_source_that_could_not_be_read_is_told_once(runs: Runs) -> None:
    alert = told(runs.of(RAW, [read_check(down())]))
    assert alert.kind == "failure"
    assert "the gateway cannot be reached" in alert.what
    assert "call them" in alert.next_step
    assert f"/assets/{RAW}?view=checks" in alert.where
    assert runs.again() == []  # the daemon looks at the same run
    assert runs.of(RAW, [read_check(down())]) == []  # the day is run again
    assert (
        runs.of(RAW, [read_check(down("2026-11-20"))], "2026-11-20") == []
    )  # and it is still so the next day


def test_what_was_over_is_told_again(runs: Runs) -> None:
    runs.of(RAW, [read_check(down())])
    assert runs.of(RAW, [read_check(None)], "2026-11-20") == []
    assert told(runs.of(RAW, [read_check(down("2026-11-21"))], "2026-11-21")).kind == "failure"


def test_another_reason_is_another_failure(runs: Runs) -> None:
    runs.of(RAW, [read_check(down())])
    assert (
        told(runs.of(RAW, [read_check(down(reason="unauthorised"))])).fingerprint == "unauthorised"
    )


def test_a_source_that_turns_stale(runs: Runs) -> None:
    assert runs.of(VALID, valid_checks(ledger())) == []
    alert = told(runs.of(VALID, valid_checks(ledger(state="stale", age_days=3)), "2026-11-20"))
    assert alert.kind == "stale"
    assert "3 days old" in alert.what
    assert runs.of(VALID, valid_checks(ledger(state="stale", age_days=4)), "2026-11-21") == []


def test_the_state_of_an_earlier_day_is_no_news(runs: Runs) -> None:
    runs.of(VALID, valid_checks(ledger()), "2026-11-20")
    assert runs.of(VALID, valid_checks(ledger(state="stale", age_days=3)), "2026-11-10") == []
    runs.of(VALID, valid_checks(ledger(state="stale", age_days=3)), "2026-11-21")
    # a past day that was well does not end what is open
    runs.of(VALID, valid_checks(ledger()), "2026-11-10")
    assert [a.kind for a in alert_book(runs.settings.home, AlertSettings()).open()] == ["stale"]


def test_a_rejected_extract_is_a_gate_that_closed(runs: Runs) -> None:
    def rejected(batch: str) -> list[dg.AssetCheckResult]:
        return valid_checks(
            ledger(
                rejected={
                    "batch_id": batch,
                    "reasons": ["batch:bad_share: 7.1% of the rows are bad"],
                }
            )
        )

    alert = told(runs.of(VALID, rejected("losses-20261119-01")))
    assert alert.kind == "gate"
    assert "bad_share" in alert.what
    assert "make open-gate RECORDS=losses BATCH=losses-20261119-01" in alert.next_step
    assert runs.of(VALID, rejected("losses-20261119-01")) == []
    assert told(runs.of(VALID, rejected("losses-20261119-02"))).kind == "gate"


def test_rows_in_quarantine_are_the_day_s_usual_business(runs: Runs) -> None:
    rule = {
        "rule": "type:occurred_on", "severity": "critical", "passed": False, "could_run": True,
        "element_count": 900, "unexpected_count": 3,
    }  # fmt: skip
    assert runs.of(VALID, valid_checks(ledger(rules=[rule]))) == []


def test_a_release_that_was_held_back_is_a_gate(runs: Runs) -> None:
    closed = GateClosed(
        DAY,
        ["gate red_share: …: make open-gate GATE=red_share BY=… WHY=…"],
        ["red_share"],
    )
    alert = told(runs.of("release", fails=failure(closed)))
    assert alert.kind == "gate"
    assert "make open-gate GATE=red_share" in alert.what
    assert alert.next_step == closed.next_step
    assert runs.of("release", fails=failure(closed)) == []


def test_words_about_a_gate_close_none(runs: Runs) -> None:
    said = "the rules name a gate that nobody knows: see make open-gate"
    alert = told(runs.of("release", fails=failure(RuleError(said, "mend the rules"))))
    assert (alert.kind, alert.what) == ("failure", said)
    assert alert.next_step.startswith("mend the rules; then: make sync AS_OF=")
    assert told(runs.of("household", fails=dg.Failure("gate x: make open-gate"))).kind == "failure"


def test_a_match_rate_that_fell(runs: Runs) -> None:
    def fell(**said: str) -> list[dg.AssetCheckResult]:
        facts = {name.replace("__", "."): text for name, text in said.items()}
        warn = dg.AssetCheckSeverity.WARN
        return [
            dg.AssetCheckResult(
                check_name="match_rate", passed=not facts, severity=warn, metadata=facts
            )
        ]

    text = "match rate 80.00%, it was 97.00%"
    alert = told(runs.of("linkage_quality", fell(housing__dwellings=text)))
    assert alert.kind == "match_rate"
    assert text in alert.what
    both = runs.of("linkage_quality", fell(housing__dwellings=text, monitoring__cases=text))
    assert [a.what.partition(":")[0] for a in both] == ["monitoring.cases"]


def test_a_check_that_stops_nothing_but_must_hold(runs: Runs) -> None:
    lost = valid_checks(ledger(in_force=4))
    alert = told(runs.of(VALID, lost))
    assert alert.kind == "failure"
    assert "conservation" in alert.what


def test_a_step_that_failed_is_told_on_its_first_attempt_and_quotes_nothing(runs: Runs) -> None:
    quoting = ValueError(f"could not convert {NAME} {NUMBER}")
    alert = told(runs.of("household", fails=quoting, retries=1))
    assert alert.kind == "failure"
    assert "ValueError" in alert.what
    assert NUMBER not in json.dumps(alert.__dict__)
    assert f"make sync AS_OF={DAY}" in alert.next_step
    assert runs.of("household", fails=quoting) == []
    assert told(runs.of("household", fails=quoting, day="2026-11-20")).day == "2026-11-20"


def test_a_run_whose_process_was_killed(runs: Runs) -> None:
    run = dg.DagsterRun(
        job_name="daily_sync", tags={"dagster/partition": DAY}, status=dg.DagsterRunStatus.STARTED
    )
    runs.instance.add_run(run)
    runs.instance.report_run_failed(run, "killed")
    assert "without finishing" in alert_after(runs.settings, runs.instance, run)[0].what


def without_begin(runs: Runs) -> list[Alert]:
    """What is told of a run whose gateway is not there."""
    said = {NOT_BEGUN: "the gateway cannot be reached", REASON: "unreachable"}
    run = dg.DagsterRun(
        job_name="daily_sync",
        tags={"dagster/partition": DAY, **said, NEXT_STEP: "call them"},
        status=dg.DagsterRunStatus.STARTED,
    )
    runs.instance.add_run(run)
    runs.instance.report_run_failed(run, "no gateway")
    return alert_after(runs.settings, runs.instance, run)


def test_a_day_that_could_not_begin(runs: Runs) -> None:
    alert = told(without_begin(runs))
    assert (alert.kind, alert.fingerprint, alert.next_step) == (
        "failure",
        "unreachable",
        "call them",
    )
    assert "the gateway cannot be reached" in alert.what
    assert without_begin(runs) == []
    began = dg.DagsterRun(job_name="daily_sync", tags={"dagster/partition": DAY})
    runs.instance.add_run(began)
    assert alert_after(runs.settings, runs.instance, began) == []
    assert [alert.kind for alert in without_begin(runs)] == ["failure"]


def test_a_failure_is_over_when_its_own_day_went_through(runs: Runs) -> None:
    """Whichever day it is: not with a later one, and not only while it is the newest."""
    broken = ValueError("broken")
    runs.of("household", fails=broken, day="2026-11-10")
    runs.of("household", day="2026-11-12")
    book = alert_book(runs.settings.home, AlertSettings())
    assert [alert.day for alert in book.open()] == ["2026-11-10"]
    runs.of("household", fails=broken, day="2026-11-12")
    runs.of("household", day="2026-11-10")
    assert [alert.day for alert in book.open()] == ["2026-11-12"]


def test_what_went_through_on_a_second_try_is_nobody_s_business(runs: Runs) -> None:
    assert runs.of("household", fails=OSError("the server restarts"), times=1, retries=1) == []
    assert runs.last is not None
    assert runs.last.status is dg.DagsterRunStatus.SUCCESS


def test_a_long_number_never_gets_through() -> None:
    assert (
        without_numbers(f"{NUMBER} 13800138000 61242919700101123X 2026-11-19 losses-20261119-01")
        == "[number] [number] [number] 2026-11-19 losses-20261119-01"
    )


def test_the_log(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.of(RAW, [read_check(down())])
    assert "What to do: call them" in capsys.readouterr().err
    log = runs.settings.home / "alerts.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert json.loads(log.read_text())["where_to_look"].startswith(f"/assets/{RAW}")


@dataclass
class Received:
    status: int = 200
    bodies: list[Any] = field(default_factory=list)


@contextmanager
def webhook(received: Received) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if received.status < 300:
                received.bodies.append(json.loads(body))
            self.send_response(received.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/?key=a-token"
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_that_was_down_gets_it_after_the_next_run(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    received = Received(status=503)
    with webhook(received) as url:
        home = str(runs.settings.home)
        runs.settings = load_settings(
            {"YIHU_HOME": home, "YIHU_ALERT_SINKS": "webhook", "YIHU_ALERT_WEBHOOK": url}
        )
        assert "a-token" not in repr(runs.settings)
        runs.of(RAW, [read_check(down())])
        assert "check YIHU_ALERT_WEBHOOK" in capsys.readouterr().err
        received.status = 200
        assert runs.of(RAW, [read_check(down())]) == []
        runs.of(RAW, [read_check(down())])
    assert len(received.bodies) == 1
    assert received.bodies[0]["msgtype"] == "text"
    assert "What to do: call them" in received.bodies[0]["text"]["content"]


class _Mail(socketserver.StreamRequestHandler):
    lines: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        in_data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            if in_data and line != ".":
                continue
            in_data = line.upper() == "DATA"
            answer = (
                b"354 go on" if in_data else b"221 bye" if line.upper() == "QUIT" else b"250 ok"
            )
            self.wfile.write(answer + b"\r\n")


def test_e_mail(tmp_path: Path) -> None:
    lines: list[str] = []
    with socketserver.TCPServer(
        ("127.0.0.1", 0), type("Mail", (_Mail,), {"lines": lines})
    ) as server:
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        settings = AlertSettings(
            ("email",),
            None,
            f"smtp://127.0.0.1:{server.server_address[1]}",
            ("duty@example.gov.cn",),
            "yihu@here",
        )
        with dg.DagsterInstance.ephemeral() as instance:
            without_begin(Runs(_with(tmp_path, settings), instance))
        server.shutdown()
    text = "\n".join(lines)
    assert "rcpt to:<duty@example.gov.cn>" in text.lower()
    assert f"Subject: yihu: failed: sync, {DAY}" in text
    assert "What to do: call them" in text


def test_no_password_for_a_mail_server_without_tls(tmp_path: Path) -> None:
    lines: list[str] = []
    with socketserver.TCPServer(
        ("127.0.0.1", 0), type("Mail", (_Mail,), {"lines": lines})
    ) as server:
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        address = f"smtp://user:a-password@127.0.0.1:{server.server_address[1]}"
        sink = alert_book(
            tmp_path, AlertSettings(("email",), None, address, ("duty@example.gov.cn",))
        )._sinks["email"]
        with pytest.raises(AlertNotSent, match="speaks no TLS"):
            sink(Alert("failure", "start", "x", "", DAY, "what", "do", ""))
        server.shutdown()
    assert not any("auth" in line.lower() for line in lines)


def test_a_mail_server_whose_certificate_nobody_signed(tmp_path: Path) -> None:
    with self_signed(tmp_path, type("Mail", (_Mail,), {"lines": []})) as port:
        sink = alert_book(
            tmp_path,
            AlertSettings(("email",), None, f"smtps://127.0.0.1:{port}", ("duty@example.gov.cn",)),
        )._sinks["email"]
        with pytest.raises(AlertNotSent, match="SSL_CERT_FILE"):
            sink(Alert("failure", "start", "x", "", DAY, "what", "do", ""))


def test_plain_connections_to_another_host_are_refused(tmp_path: Path) -> None:
    far = {
        "YIHU_WAREHOUSE_URL": "postgresql://owner@db.county.example/yihu",
        "YIHU_ALERT_SINKS": "webhook",
        "YIHU_ALERT_WEBHOOK": "http://robot.example/hook",
    }
    with pytest.raises(SettingsError, match="without TLS") as caught:
        load_settings({"YIHU_HOME": str(tmp_path), **far})
    assert all(name in str(caught.value) for name in ("YIHU_WAREHOUSE_URL", "YIHU_ALERT_WEBHOOK"))
    assert load_settings({"YIHU_HOME": str(tmp_path), **far, "YIHU_PLAIN": "allow"}).plain


def test_a_mail_server_that_is_down(tmp_path: Path) -> None:
    settings = AlertSettings(
        ("email",), None, "smtp://user:a-password@127.0.0.1:9", ("duty@example.gov.cn",)
    )
    sink = alert_book(tmp_path, settings)._sinks["email"]
    with pytest.raises(AlertNotSent) as caught:
        sink(Alert("failure", "start", "x", "", DAY, "what", "do", ""))
    assert "a-password" not in str(caught.value)


def _with(home: Path, alerts: AlertSettings) -> Settings:
    return replace(load_settings({"YIHU_HOME": str(home)}), alerts=alerts)


def test_sinks_are_checked_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="YIHU_ALERT_SINKS names pigeon") as caught:
        load_settings({"YIHU_HOME": str(tmp_path), "YIHU_ALERT_SINKS": "pigeon,webhook,email"})
    for name in ("WEBHOOK", "SMTP_URL", "EMAIL_TO"):
        assert f"YIHU_ALERT_{name} is missing" in str(caught.value)


# warnings


def warning(key: str, said: str = "3 of 900", step: str = "ask the department") -> dict[str, str]:
    return {"key": key, "said": said, "next_step": step}


def warned(*warnings: dict[str, str]) -> list[dg.AssetCheckResult]:
    return valid_checks(ledger(warnings=list(warnings)))


OTHER = "valid_housing__dwellings"


def test_what_was_not_there_yesterday_is_told_once_department_by_department(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = told(
        runs.of(
            VALID,
            warned(warning("rule:a", "rule a: 3 of 900"), warning("rule:b", "rule b: 1 of 900")),
        )
    )
    assert digest.kind == "warning"
    assert digest.what.splitlines() == [
        "2 warnings that were not there the day before",
        "emergency_management",
        "  losses: rule a: 3 of 900 -> ask the department",
        "  losses: rule b: 1 of 900 -> ask the department",
    ]
    assert "make status" in digest.next_step
    assert runs.again() == []
    # what stands on is not told again; what comes is, and what went and comes back
    digest = told(runs.of(VALID, warned(warning("rule:b"), warning("rule:c")), "2026-11-20"))
    assert [line for line in digest.what.splitlines() if "losses" in line] == [
        "  losses: 3 of 900 -> ask the department"
    ]
    assert runs.of(VALID, warned(warning("rule:b"), warning("rule:c")), "2026-11-21") == []
    assert len(runs.of(VALID, warned(warning("rule:a"), warning("rule:c")), "2026-11-22")) == 1
    assert (
        alert_book(runs.settings.home, AlertSettings()).open() == []
    )  # it is no trouble that stands
    assert "yihu: new warnings" in capsys.readouterr().err


def test_a_day_has_one_digest(runs: Runs) -> None:
    assert len(runs.of(VALID, warned(warning("rule:a")))) == 1
    assert (
        runs.of(OTHER, warned(warning("rule:x"))) == []
    )  # the same day again: it waits for the next one's
    digest = told(runs.of(VALID, warned(warning("rule:a")), "2026-11-20"))
    assert digest.what.splitlines()[1:] == [
        "housing",
        "  dwellings: 3 of 900 -> ask the department",
    ]


def test_what_is_over_before_it_was_told_is_not_told(runs: Runs) -> None:
    runs.of(VALID, warned(warning("rule:a")))
    runs.of(OTHER, warned(warning("rule:x")))
    assert runs.of(OTHER, warned(), "2026-11-20") == []


def test_a_past_day_warns_of_nothing_and_a_day_that_is_not_over_waits(runs: Runs) -> None:
    runs.of(VALID, warned(warning("rule:a")), "2026-11-20")
    assert runs.of(VALID, warned(warning("rule:old")), "2026-11-10") == []
    today = datetime.now(SHANGHAI).date()
    assert runs.of(VALID, warned(warning("rule:new")), today.isoformat()) == []
    tomorrow = (today + timedelta(days=1)).isoformat()
    assert runs.of(VALID, warned(warning("rule:new")), tomorrow) == []


def test_a_digest_names_nobody_and_reaches_a_sink_that_was_down(runs: Runs) -> None:
    received = Received(status=503)
    with webhook(received) as url:
        home = str(runs.settings.home)
        runs.settings = load_settings(
            {"YIHU_HOME": home, "YIHU_ALERT_SINKS": "webhook", "YIHU_ALERT_WEBHOOK": url}
        )
        assert len(runs.of(VALID, warned(warning("noticed", f"file {NUMBER}.xlsx")))) == 1
        received.status = 200
        runs.of(VALID, warned(warning("noticed")), "2026-11-20")
        runs.of(VALID, warned(warning("noticed")), "2026-11-21")
    (body,) = received.bodies
    assert NUMBER not in json.dumps(body)
    assert "file [number].xlsx" in body["text"]["content"]


# a rejected extract


def test_a_rejected_extract_is_an_error_that_says_what_to_do(runs: Runs) -> None:
    rejection = {
        "batch_id": "losses-20261119-01", "day": DAY, "rule": "batch:withdrawn_share", "rows": 11,
        "reasons": ["11 of 12 records would go"],
        "next_step": "make open-gate RECORDS=losses BATCH=losses-20261119-01 BY=… WHY=…",
    }  # fmt: skip
    checks = {
        check.check_name: check
        for check in valid_checks(ledger(state="rejected", rejected=rejection, rejection=rejection))
    }
    assert (checks["critical_rules"].passed, checks["critical_rules"].severity) == (
        False,
        dg.AssetCheckSeverity.ERROR,
    )
    facts = {name: value.value for name, value in checks["critical_rules"].metadata.items()}
    assert (facts["rejected_batch"], facts["rejected_on"], facts["rule"], facts["rows"]) == (
        "losses-20261119-01", DAY, "batch:withdrawn_share", 11,
    )  # fmt: skip
    assert checks["fresh"].passed  # its age says that it is not late yet
    alert = told(runs.of(VALID, list(checks.values())))
    assert (alert.kind, "11 of 12 records would go" in alert.what) == ("gate", True)
    assert "make open-gate RECORDS=losses" in alert.next_step
    # carried on over a day on which nobody could be asked, it is the same trouble
    assert (
        runs.of(
            VALID,
            valid_checks(ledger(state="rejected", rejection=rejection, is_late=True, age_days=9)),
            "2026-11-20",
        )[0].kind
        == "stale"
    )


def test_a_file_that_was_refused_is_told_by_its_reading_alone(runs: Runs) -> None:
    rejection = {
        "batch_id": None,
        "day": DAY,
        "rule": "read:damaged_file",
        "rows": None,
        "reasons": ["damaged"],
        "next_step": "write it anew",
    }
    assert runs.of(VALID, valid_checks(ledger(state="rejected", rejection=rejection))) == []
    assert (
        told(runs.of(RAW, [read_check(down(reason="damaged_file"))])).fingerprint == "damaged_file"
    )


def test_a_source_that_brought_nothing_is_checked_for_its_age_alone() -> None:
    quiet, rejection = ledger(), {"reasons": ["x"], "batch_id": "b"}
    parts = ("received", "accepted", "unchanged", "superseded", "withdrawn", "quarantined")
    rows = dict.fromkeys(parts, 0)
    for now in (quiet, ledger(today=rows)):
        assert [check.check_name for check in valid_checks(now, quiet)] == ["fresh"]
    for now, before in (
        (ledger(today=rows | {"received": 1, "accepted": 1}), quiet),
        (ledger(warnings=[{"key": "k", "said": "s", "next_step": "n"}]), quiet),
        (ledger(rejection=rejection), quiet),
        (quiet, ledger(rejection=rejection)),  # what was told is taken back
        (quiet, ledger(failure={"kind": "transient"})),
        (quiet, None),
    ):
        assert len(valid_checks(now | {"failure": None}, before)) == 5


def unread(records: str, reason: str, day: str, *, is_well: bool = False) -> Observation:
    asset = f"raw_{records}"
    scope = f"check:{asset}:read"
    told = Alert("failure", scope, reason, asset, day, "could not be read", "mend it", "run")
    return Observation(scope, day, () if is_well else (told,))


def test_one_cause_is_one_alert_and_its_end_is_told_once(tmp_path: Path) -> None:
    sent: list[Alert] = []
    book = AlertBook(tmp_path, {"log": sent.append})
    sources = ["a__x", "a__y", "b__z"]
    for day in ("2026-11-19", "2026-11-20"):
        seen = [unread(one, "unreachable", day) for one in sources]
        book.take(day, by_cause([*seen, unread("c__w", "denied", day)], day))
    assert [(alert.kind, alert.scope) for alert in sent] == [
        ("failure", "check:raw_c__w:read"),
        ("failure", "outage:unreachable"),
    ]
    assert "3 sources could not be read (unreachable): a.x, a.y, b.z" in sent[1].what
    for day in ("2026-11-21", "2026-11-22"):
        seen = [unread(one, "", day, is_well=True) for one in (*sources, "c__w")]
        book.take(day, by_cause(seen, day))
    assert [(alert.kind, alert.scope) for alert in sent[2:]] == [
        ("over", "check:raw_c__w:read"),
        ("over", "outage:unreachable"),
    ]
    assert "it is over" in sent[2].what
    assert book.open() == []


def test_a_source_alone_is_its_own_alert(tmp_path: Path) -> None:
    seen = by_cause([unread("a__x", "denied", "2026-11-19")], "2026-11-19")
    new = AlertBook(tmp_path, {}).take("run", seen)
    assert [alert.scope for alert in new] == ["check:raw_a__x:read"]
