"""A backfill as the UI launches it: through the webserver's own API, by the daemon, a run a day;
the releases are those of `make sync`.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from resources.server import is_running
from resources.settings import ROOT
from tests.operating.visitor import Visitor
from tests.whole.conftest import RANGE, Ranged, environment
from tests.whole.days import PSEUDONYM, closed, only_raw, releases

pytestmark = pytest.mark.long

LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
STATUS = (
    "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {"
    " status } } }"
)
RUNS = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"
SELECTOR = {
    "partitionSetName": "daily_sync_partition_set",
    "repositorySelector": {
        "repositoryName": "__repository__",
        "repositoryLocationName": "pipelines.definitions",
    },
}
WAIT = 900.0


def until(done: Any) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except OSError:
            pass  # it is not up yet
        time.sleep(1)
    raise AssertionError(f"not within {WAIT:.0f} s")


@contextmanager
def ui(home: Path, **settings: str) -> Iterator[Visitor]:
    """`make ui`, ended as Ctrl-C ends it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "ui.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines", "ui", "--port", str(port)],
            cwd=ROOT, env=environment(home, **settings), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield Visitor(f"http://127.0.0.1:{port}", home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(90)


def test_a_backfill_of_the_ui_gives_the_same_releases(ranged: Ranged) -> None:
    """The departments are switched off: the days come from their batches."""
    with tempfile.TemporaryDirectory(prefix="yihu-backfill-") as folder:
        home = Path(folder)
        only_raw(ranged.home, home)
        with ui(home, **closed(home), YIHU_PSEUDONYM_KEY=PSEUDONYM) as webserver:
            until(lambda: webserver.ask("{ version }"))
            params = {
                "selector": SELECTOR,
                "partitionNames": [day.isoformat() for day in RANGE],
                "title": "three days",
            }
            launched = webserver.ask(LAUNCH, params=params)["launchPartitionBackfill"]
            assert launched["__typename"] == "LaunchBackfillSuccess", launched
            backfill = launched["backfillId"]

            def ended() -> bool:
                status = webserver.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]
                assert not status.startswith("FAIL"), (home / "ui.log").read_text(errors="replace")[
                    -3000:
                ]
                return bool(status.startswith("COMPLETED"))

            until(ended)
            runs = webserver.ask(RUNS)["runsOrError"]["results"]
            ours = [
                run for run in runs if {"key": "dagster/backfill", "value": backfill} in run["tags"]
            ]
            assert [run["status"] for run in ours] == ["SUCCESS"] * len(RANGE)
        assert releases(home) == ranged.releases
        assert not is_running(home)
