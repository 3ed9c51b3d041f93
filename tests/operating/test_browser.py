"""The operator's pages as a headless Chromium shows them: the graph, an asset of each layer, a
failed check, a backfill.

`uv run python -m tests.operating.test_browser` takes the pictures of `docs/operate.md` anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from expectations.contract import contract_for
from resources.settings import ROOT, today
from tests.operating.browser import Page, chromium, program
from tests.operating.visitor import Visitor

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("browser")]  # all look at one home

HOUSEHOLDS = 1000
DAYS = 4
IMAGES = ROOT / "docs" / "images"

CERTIFICATES = "valid_disability_federation__certificates"
LAYERS = {
    "raw": ("raw_health_insurance__settlements", "Source code", "settlements", "read"),
    "valid": ("valid_health_insurance__settlements", "SQL template", "in force", "DuckDB"),
    "matched": ("matched_health_insurance__settlements", "SQL template", "linked", "match_rate"),
    "household": ("household_indicator", "Source code", "72 indicators", "r01_"),
    "flag": ("warning_flag", "Source code", "Each household's lamp", "held"),
    "follow-up": ("follow_up_task", "Source code", "What each red household needs", "due_on"),
    "release": ("release", "publication", "checksum", "Freshness"),
}
"""Of each layer an asset, what leads to its code, and some of what its page says."""

BACKFILL = """
mutation Launch($asked: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $asked) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""


@dataclass(frozen=True)
class Operated:
    """A home whose UI and daemon run."""

    visitor: Visitor
    days: list[date]

    @property
    def url(self) -> str:
        return self.visitor.url

    def backfill(self) -> str:
        """Has the daemon run the two earliest days again, one after the other; waits for it and
        returns its id.
        """
        selector = {
            "repositoryLocationName": "pipelines.definitions",
            "repositoryName": "__repository__",
        }
        asked = {
            "selector": {
                "repositorySelector": selector,
                "partitionSetName": "daily_sync_partition_set",
            },
            "partitionNames": [str(day) for day in self.days[:2]],
        }
        made = self.visitor.ask(BACKFILL, asked=asked)["launchPartitionBackfill"]
        assert made["__typename"] == "LaunchBackfillSuccess", made
        status = (
            "query S($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on"
            " PartitionBackfill { status } } }"
        )
        deadline = time.monotonic() + 600
        while (
            told := self.visitor.ask(status, id=made["backfillId"])["partitionBackfillOrError"][
                "status"
            ]
        ) != "COMPLETED_SUCCESS":
            assert told in ("REQUESTED", "COMPLETED"), told
            assert time.monotonic() < deadline, told
            time.sleep(2)
        return str(made["backfillId"])


def rejected_file(home: Path, day: date) -> None:
    """The federation delivers a file without a row, where all its rows are due."""
    names = [field.physical_name for field in contract_for("certificates").fields]
    path = home / "sandbox" / "drop" / "disability_federation" / f"certificates_{day:%Y%m%d}.csv"
    path.write_bytes((",".join(names) + "\r\n").encode("gb18030"))
    path.with_name(f"{path.name}.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    )


@contextmanager
def operated() -> Iterator[Operated]:
    """Some days of a small county, the last with a rejected extract, then `make ui`; not under
    pytest's own folder.
    """
    home = Path(tempfile.mkdtemp(prefix="yihu-operated-"))
    clean = {
        name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)
    }
    environment = {**clean, "YIHU_HOME": str(home), "YIHU_SANDBOX_HOUSEHOLDS": str(HOUSEHOLDS)}
    days = [today() - timedelta(days=back) for back in range(DAYS, 0, -1)]

    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "pipelines", *arguments]

    try:
        span = ("--from", str(days[0]), "--to", str(days[-2]))
        subprocess.run(
            command("sync", *span), cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        rejected_file(home, days[-1])
        last = {**environment, "YIHU_AS_OF": str(days[-1])}
        subprocess.run(
            command("sync"),
            cwd=ROOT,
            env=last,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (home / "ui.log").open("wb") as said:
            ui = subprocess.Popen(
                command("ui", "--port", str(port)),
                cwd=ROOT,
                env=environment,
                stdout=said,
                stderr=said,
            )
        try:
            visitor = Visitor(f"http://127.0.0.1:{port}", home)
            served(visitor, ui)
            yield Operated(visitor, days)
        finally:
            ui.send_signal(signal.SIGTERM)
            ui.wait(120)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def served(visitor: Visitor, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            visitor.enter()
            return
        except OSError:
            assert process.poll() is None, "the UI ended"
            assert time.monotonic() < deadline, "the UI does not serve"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def ui() -> Iterator[Operated]:
    if program() is None:
        pytest.skip(
            "no Chromium on this machine: the pages cannot be looked at (apt-get install chromium)"
        )
    with operated() as running:
        yield running


@pytest.fixture(scope="module")
def page(ui: Operated) -> Iterator[Page]:
    with chromium() as opened:
        come_in(ui, opened)
        yield opened


def come_in(ui: Operated, page: Page) -> None:
    """By a one-time link, as whoever reads the terminal does."""
    page.open(f"{ui.url}{ui.visitor.link()}", "Timeline")


def graph(ui: Operated, page: Page) -> None:
    """The groups, as the flow."""
    groups = (
        "rural_revitalisation",
        "health_insurance",
        "monitoring",
        "household",
        "flags",
        "follow_up",
        "release",
        "rhythms",
    )
    page.open(f"{ui.url}/asset-groups", "Global asset lineage", *groups, width=1800, height=1500)


def layer(ui: Operated, page: Page, name: str) -> None:
    """One asset: what it is, whose, how many rows, its columns, its checks, what leads to its
    code.
    """
    asset, *says = LAYERS[name]
    common = (
        "Latest materialization",
        "Description",
        "Owners",
        "Tags",
        "Kinds",
        "Row count",
        "layer: ",
    )
    page.open(f"{ui.url}/assets/{asset}?view=overview", *common, *says, height=1600)


def failed_check(ui: Operated, page: Page) -> None:
    """The rejected extract, with counts per rule."""
    page.open(f"{ui.url}/assets/{CERTIFICATES}?view=checks", "critical_rules", "conservation")
    page.click("critical_rules")
    page.wait(
        "critical_rules",
        "Failed",
        "rejected",
        "no rows where a full delivery is due",
        "batch:not_empty",
        "severity",
    )


def picture(ui: Operated, page: Page, asset: str, title: str) -> None:
    """A day's picture behind [Show Markdown], with its figures."""
    page.open(
        f"{ui.url}/assets/{asset}?partition={ui.days[-1]}&view=partitions",
        "[Show Markdown]",
        "figures",
    )
    page.click_in_row("picture", "[Show Markdown]")
    page.wait(asset, "Close")
    page.has(f'img[alt^="{title}"]')


def backfill(ui: Operated, page: Page) -> None:
    page.open(
        f"{ui.url}/runs/b/{ui.backfill()}",
        "Succeeded",
        "100% completed",
        "daily_sync",
        "2 partitions",
    )


def automation(ui: Operated, page: Page) -> None:
    """What runs by itself."""
    sensors = (
        "drop_folder_sensor",
        "urgent_sensor",
        "alerts_after_failure",
        "alerts_after_success",
    )
    page.open(f"{ui.url}/automation", "daily_sync_schedule", "weekly_statistics_schedule", *sensors)


def runs(ui: Operated, page: Page) -> None:
    page.open(f"{ui.url}/runs", "daily_sync", "Success", f"partition: {ui.days[-1]}")


PICTURES = {
    "lamps": ("warning_flag", "Red lamps by town"),
    "match-rate": ("linkage_quality", "Match rate"),
    "sources": ("source_status", "Rows in quarantine"),
}


def test_the_graph_reads_as_the_flow(ui: Operated, page: Page) -> None:
    graph(ui, page)


@pytest.mark.parametrize("name", LAYERS)
def test_one_asset_of_each_layer(ui: Operated, page: Page, name: str) -> None:
    layer(ui, page, name)


def test_a_failed_check_says_why(ui: Operated, page: Page) -> None:
    failed_check(ui, page)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_drawn(ui: Operated, page: Page, name: str) -> None:
    picture(ui, page, *PICTURES[name])


def test_what_runs_by_itself(ui: Operated, page: Page) -> None:
    automation(ui, page)


def test_a_backfill_runs_its_days(ui: Operated, page: Page) -> None:
    backfill(ui, page)


def main() -> None:
    """The pictures of `docs/operate.md`."""
    with operated() as ui, chromium() as page:
        come_in(ui, page)
        graph(ui, page)
        page.shoot(IMAGES / "graph.png")
        for name in LAYERS:
            layer(ui, page, name)
            page.shoot(IMAGES / f"{name}.png")
        failed_check(ui, page)
        page.shoot(IMAGES / "failed-check.png")
        for name, (asset, title) in PICTURES.items():
            picture(ui, page, asset, title)
            page.shoot(IMAGES / f"{name}.png")
        automation(ui, page)
        page.shoot(IMAGES / "automation.png")
        backfill(ui, page)
        page.shoot(IMAGES / "backfill.png")
        runs(ui, page)
        page.shoot(IMAGES / "runs.png")


if __name__ == "__main__":
    main()
