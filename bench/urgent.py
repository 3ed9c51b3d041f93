"""`python -m bench.urgent --households 104000`: from a new report at the gateway to a changed lamp
in SQL, by the daemon alone.

Belongs here: a gateway that gets one row more, the daemon as `make ui` starts it, a clock. Not
here: when a run is asked for (`pipelines.automation.sensors`). Two lines: a citizens' report while
nothing goes on, a disaster loss that comes while that run goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import dagster as dg
import duckdb
import sqlalchemy as sa

from bench.__main__ import reference_seconds
from expectations.contract import contract_for
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import ON_SQLITE, ROOT, SHANGHAI, today

SID, KEY = "yihu-bench", "a-key-for-benchmarks"
SEED = "20260101"
AT_MOST = 120.0
"""Seconds that it may take, by the design."""
GIVE_UP = 600.0
GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

NEAR_RED = """
select f.household_id from yihu.warning_flag as f
where f.level = 'yellow' and f.score > 27 and f.score <= 30 and f.raw_points < 90
    and not exists (select from yihu.warning_reason as r where r.household_id = f.household_id
        and r.code in ('R30', 'cap:assistance'))
order by f.household_id
"""
"""An open report gives 4 points, of which the offset takes 1 at most: these turn red by one."""
GREEN = (
    "select household_id from yihu.warning_flag where level = 'green' order by household_id"
    " limit 200"
)
"""A collapsed house is a hard rule: any household turns red by it."""


@dataclass
class Relay:
    """The sandbox's gateway with rows added to it; knows which record types were asked for, and
    when.
    """

    upstream: str
    added: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(path)
        records = parts.path.rstrip("/").rpartition("/")[2]
        self.asked[records] = time.monotonic()
        url = self.upstream.removesuffix("/api") + path
        try:
            with urlopen(Request(url, headers=headers), timeout=60) as answer:
                body = answer.read()
        except HTTPError as refused:
            return refused.code, refused.read()
        return 200, self._with_added(records, body, parse_qs(parts.query))

    def _with_added(self, records: str, body: bytes, query: dict[str, list[str]]) -> bytes:
        until = (
            datetime.fromisoformat(query["until"][0])
            if "until" in query
            else datetime.now(SHANGHAI)
        )
        since = datetime.fromisoformat(query["since"][0]) if "since" in query else None
        rows = [
            r
            for r in self.added.get(records, [])
            if _within(datetime.fromisoformat(r["updated_at"]), since, until)
        ]
        if not rows:
            return body
        body = re.sub(
            rb'"total": (\d+)', lambda m: b'"total": %d' % (int(m[1]) + len(rows)), body, count=1
        )
        if b'"cursor": null' not in body[:200]:
            return body
        text = ", ".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        return body.removesuffix(b"]}}") + (b"" if body.endswith(b"[]}}") else b",") + text + b"]}}"


def _within(at: datetime, since: datetime | None, until: datetime) -> bool:
    return at <= until and (since is None or at > since)


@contextmanager
def relayed(upstream: str) -> Iterator[tuple[Relay, str]]:
    """A relay in front of `upstream`, and its URL."""
    relay = Relay(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            signed = {
                name: value
                for name, value in self.headers.items()
                if name.lower().startswith("gjgxjhpt_")
            }
            status, body = relay.answer(self.path, signed)
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a path could carry what must not be kept."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield relay, f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def sandbox_gateway(home: Path, households: int) -> Iterator[str]:
    """The sandbox's own gateway as a process, and its URL."""
    key, ready = home / "gateway.key", home / "gateway.json"
    key.write_text(KEY)
    ready.unlink(missing_ok=True)
    county = ["--home", str(home / "sandbox"), "--households", str(households), "--seed", SEED]
    serve = [
        sys.executable,
        "-m",
        "sandbox",
        "serve",
        *county,
        "--sid",
        SID,
        "--key-file",
        str(key),
        "--ready-file",
        str(ready),
    ]
    process = subprocess.Popen(serve, cwd=ROOT)
    try:
        wait_for(lambda: ready.exists(), "the sandbox serves", process)
        yield str(json.loads(ready.read_text())["url"])
    finally:
        process.terminate()
        process.wait(30)


def wait_for(
    is_so: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None
) -> float:
    """Waits until it is so; the seconds that it took. Raises `TimeoutError`."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > GIVE_UP or (
            process is not None and process.poll() is not None
        ):
            raise TimeoutError(f"not seen in {time.monotonic() - began:.0f} s: {what}")
        time.sleep(0.2)
    return time.monotonic() - began


@contextmanager
def daemon(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What `make ui` starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipelines", "ui", "--port", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(90)


def cpu_seconds(session: int) -> float:
    """What the processes of a session have computed until now, those included that they have waited
    for.
    """
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(values[3]) == session:
            ticks += sum(int(value) for value in values[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Home:
    """A synced home whose daemon runs, with its warehouse and the relay in front of its gateway."""

    path: Path
    relay: Relay
    warehouse: sa.Engine
    instance: dg.DagsterInstance
    process: subprocess.Popen[bytes]

    def ask(self, sql: str, **parameters: Any) -> list[Any]:
        with self.warehouse.connect() as connection:
            return list(connection.execute(sa.text(sql), parameters).scalars())

    def going_on(self) -> Sequence[dg.RunRecord]:
        return self.instance.get_run_records(
            filters=dg.RunsFilter(job_name="daily_sync", statuses=GOING_ON), limit=5
        )

    def level(self, household: str) -> str | None:
        return next(
            iter(
                self.ask("select level from yihu.warning_flag where household_id = :h", h=household)
            ),
            None,
        )

    def rest(self) -> None:
        """Waits until the daemon has asked for urgent rows, and no run goes on."""
        began = time.monotonic()
        wait_for(
            lambda: self.relay.asked.get("losses", 0.0) > began,
            "the urgent sensor asks",
            self.process,
        )
        wait_for(lambda: not self.going_on(), "no run goes on", self.process)

    def head_of(self, candidates: list[str]) -> tuple[str, str, str]:
        """The first of the households whose head can be told by a number; household, number,
        name.
        """
        lake = Lake(self.path / "lake")
        day = lake.days("household", "person")[-1]
        members = lake.relation("valid", "rural_revitalisation__members", day)
        person = lake.relation("household", "person", day)
        with duckdb.connect() as connection:
            connection.execute(
                "create table candidate as select unnest(?::varchar[]) as household_id",
                [candidates],
            )
            found = connection.execute(
                f"select m.household_id, m.id_number, m.name from {members} as m join {person} as p"
                " using (member_id) join candidate as c on c.household_id = m.household_id where"
                " p.id_state = 'established' and m.relation = '01' and m.status = '1' order by 1"
                " limit 1"
            ).fetchone()
        if found is None:
            raise TimeoutError("no household of the county would turn red by this row")
        return found


def report(number: str, name: str, at: datetime) -> dict[str, Any]:
    contract = contract_for("reports")
    row: dict[str, Any] = {"_op": "U", **{f.physical_name: None for f in contract.fields}}
    row.update(
        report_id=f"bench-{at:%H%M%S}",
        channel="form",
        reporter_id_number=number,
        reporter_name=name,
        reported_at=at.isoformat(),
    )
    return {**row, "difficulty": "illness", "status": "open", "updated_at": at.isoformat()}


def loss(number: str, name: str, at: datetime) -> dict[str, Any]:
    contract = contract_for("losses")
    row: dict[str, Any] = {"_op": "U", **{f.physical_name: None for f in contract.fields}}
    row.update(
        loss_id=f"bench-{at:%H%M%S}",
        event_id="bench",
        hazard="flood",
        head_id_number=number,
        head_name=name,
        house_damage="3",
    )
    return {
        **row,
        "loss_amount": 5.0,
        "occurred_on": at.date().isoformat(),
        "updated_at": at.isoformat(),
    }


@contextmanager
def synced_home(households: int, kept: Path | None = None) -> Iterator[Home]:
    """Yesterday's release, and the daemon at rest after whatever today brought already.

    `kept`: where it is made, and stays.
    """
    path = kept or Path(tempfile.mkdtemp(prefix="yihu-urgent-"))
    path.mkdir(mode=0o700, exist_ok=True)
    try:
        with sandbox_gateway(path, households) as upstream, relayed(upstream) as (relay, url):
            named = {
                "YIHU_HOME": str(path),
                "YIHU_GATEWAY_URL": url,
                "YIHU_GATEWAY_SID": SID,
                "YIHU_GATEWAY_KEY": KEY,
                "YIHU_FORM": "api",
            }
            clean = {
                name: value for name, value in os.environ.items() if not name.startswith("YIHU_")
            }
            environment = {**clean, **named, "YIHU_AS_OF": str(today() - timedelta(days=1))}
            if not (path / "lake" / "release" / f"as_of={today() - timedelta(days=1)}").exists():
                with (path / "sync.log").open("wb") as said:
                    subprocess.run(
                        [sys.executable, "-m", "pipelines", "sync"],
                        cwd=ROOT,
                        env=environment,
                        check=True,
                        stdout=said,
                    )
            os.environ.update(DAGSTER_HOME=str(ON_SQLITE), YIHU_DAGSTER_DIR=str(path / "dagster"))
            with (
                warehouse_server(path, None) as server,
                daemon(environment, path / "ui.log") as process,
            ):
                engine = server.engine()
                with dg.DagsterInstance.get() as instance:
                    home = Home(path, relay, engine, instance, process)
                    home.rest()
                    yield home
                engine.dispose()
    finally:
        if kept is None:
            shutil.rmtree(path, ignore_errors=True)


def seconds_to_red(home: Home, records: str) -> dict[str, Any]:
    """A new row at the gateway: seconds until its household is red in SQL, and what of them was the
    run's.
    """
    near = home.ask(NEAR_RED) if records == "reports" else home.ask(GREEN)
    household, number, name = home.head_of(near)
    before = home.level(household)
    is_busy, computed, reference = (
        bool(home.going_on()),
        cpu_seconds(home.process.pid),
        reference_seconds(),
    )
    at = datetime.now(SHANGHAI).replace(microsecond=0)
    row = report(number, name, at) if records == "reports" else loss(number, name, at)
    home.relay.added.setdefault(records, []).append(row)
    seconds = wait_for(
        lambda: home.level(household) == "red", f"{records}: red in SQL", home.process
    )
    (run,) = home.instance.get_run_records(filters=dg.RunsFilter(job_name="daily_sync"), limit=1)
    asked_after = run.create_timestamp.timestamp() - at.timestamp()
    return {
        "records": records,
        "while a run went on": is_busy,
        "was": before,
        "seconds": round(seconds, 1),
        "cpu": round(cpu_seconds(home.process.pid) - computed, 1),
        "reference": round(reference, 3),
        "asked for after": round(asked_after, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.urgent")
    parser.add_argument("--households", type=int, default=104_000)
    parser.add_argument(
        "--home",
        type=Path,
        help="a folder to make the county and its first release in, kept for the next time",
    )
    asked = parser.parse_args()
    households = asked.households
    measured: list[dict[str, Any]] = []
    with synced_home(households, asked.home) as home:
        quiet = threading.Thread(target=lambda: measured.append(seconds_to_red(home, "reports")))
        quiet.start()
        wait_for(lambda: bool(home.going_on()), "the report's run", home.process)
        time.sleep(5)
        measured.append(seconds_to_red(home, "losses"))
        quiet.join()
    for line in measured:
        print(json.dumps({"bench": "urgent", "households": households, **line}), flush=True)
    return int(max(line["seconds"] for line in measured) > AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
