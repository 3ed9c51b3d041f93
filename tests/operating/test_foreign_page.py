"""Another page in the operator's browser, by everything that a browser lets it try; and the
operator's own page, which may.

A real Chromium, Dagster's own webserver behind our layer, and a code location of one asset, so that
it is there in seconds. `test_browser` looks at the pages of a whole county, `test_pages` at the
layer by itself.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest

from resources.settings import ROOT
from tests.operating.browser import Page, chromium, program
from tests.operating.visitor import Visitor

pytestmark = pytest.mark.xdist_group("foreign_page")

SECONDS = 180.0
"""Until the pages are served, on a machine with other work."""
SCHEDULE = """
{ scheduleOrError(scheduleSelector: {repositoryLocationName: "tests.operating.one_asset",
  repositoryName: "__repository__", scheduleName: "nightly"}) {
  ... on Schedule { scheduleState { id status } } } }
"""
MATERIALIZED = (
    '{ assetNodes(assetKeys: [{path: ["household"]}]) { assetMaterializations(limit: 1) { runId'
    " } } }"
)


@dataclass(frozen=True)
class Served:
    """The pages, and a browser that came in by the link."""

    visitor: Visitor
    page: Page

    def schedule(self) -> tuple[str, str]:
        """Id and status of the schedule."""
        state = self.visitor.ask(SCHEDULE)["scheduleOrError"]["scheduleState"]
        return state["id"], state["status"]

    def is_materialized(self) -> bool:
        return bool(self.visitor.ask(MATERIALIZED)["assetNodes"][0]["assetMaterializations"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if program() is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    home = tmp_path_factory.mktemp("pages")
    with _webserver(home) as visitor, chromium() as page:
        page.open(visitor.url + visitor.link(), "Timeline")
        yield Served(visitor, page)


@contextmanager
def _webserver(home: Path) -> Iterator[Visitor]:
    """The webserver alone, once it answers; the asset has been materialized."""
    (home / "dagster").mkdir()
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("household"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {
        name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)
    }
    own = {
        "YIHU_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    command = [
        sys.executable,
        "-m",
        "pipelines.webserver",
        "-p",
        str(port),
        "-m",
        "tests.operating.one_asset",
    ]
    with (home / "webserver.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**clean, **own}, stdout=log, stderr=log)
        try:
            visitor = Visitor(f"http://127.0.0.1:{port}", home)
            _wait_for(visitor, process, home / "webserver.log")
            yield visitor
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _wait_for(visitor: Visitor, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until a question about the code location is answered: a page drawn sooner would only be drawn
    again.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            visitor.ask(SCHEDULE)["scheduleOrError"]["scheduleState"]
            return
        except OSError:
            assert process.poll() is None, log.read_text()[-800:]
            assert time.monotonic() < deadline, "the webserver does not answer"
            time.sleep(0.3)


ATTACK = """<!doctype html><body><p id=said>trying</p>
<img src="%(url)s/graphql?query=%(query)s"><iframe src="%(url)s/asset-groups"></iframe>
<form id=f method=post target=there action="%(url)s/graphql"><input name=query
    value='x'></form><iframe name=there></iframe>
<script>
const body = JSON.stringify({query: %(mutation)s});
const tries = [
  () => fetch('%(url)s/graphql', {method: 'POST', credentials: 'include', mode: 'no-cors', body}),
  () => fetch('%(url)s/graphql', {method: 'POST', credentials: 'include',
      headers: {'Content-Type': 'application/json'}, body}),
  () => fetch('%(url)s/server_info', {credentials: 'include'}),
];
(async () => { let said = 'tried';
  document.getElementById('f').submit();
  for (const one of tries) { try { const a = await one(); if (a.type !== 'opaque' && a.ok) said =
      'answered'; } catch (e) {} }
  document.getElementById('said').textContent = said; })();
</script>"""


@contextmanager
def _foreign(html: str) -> Iterator[str]:
    """A page of another origin, on loopback too."""

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def _attacked_by(served: Served, mutation: str) -> None:
    query = quote(mutation)
    with _foreign(
        ATTACK % {"url": served.visitor.url, "query": query, "mutation": json.dumps(mutation)}
    ) as address:
        said = served.page.open(address, "tried")
    assert "answered" not in said
    for path in (f"/graphql?query={query}", f"/graphql/?query={query}"):
        assert served.visitor.send("GET", path, Referer="http://evil.example/").status == 405
        assert served.visitor.send("GET", path, Origin="http://evil.example").status == 403


def _by_the_own_page(served: Served, mutation: str) -> None:
    """The control: what the operator's own page asks for is done."""
    served.page.open(f"{served.visitor.url}/automation", "nightly")
    assert served.page.fetches("/graphql", {"query": mutation}) == 200


def test_no_other_page_stops_a_schedule(served: Served) -> None:
    named, status = served.schedule()
    stop = f'mutation {{ stopRunningSchedule(id: "{named}") {{ __typename }} }}'
    assert status == "RUNNING"
    _attacked_by(served, stop)
    assert served.schedule() == (named, "RUNNING")
    _by_the_own_page(served, stop)
    assert served.schedule() == (named, "STOPPED")


def test_no_other_page_wipes_an_asset(served: Served) -> None:
    wipe = (
        'mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["household"]}}]) {'
        " __typename } }"
    )
    assert served.is_materialized()
    _attacked_by(served, wipe)
    assert served.is_materialized()
    _by_the_own_page(served, wipe)
    assert not served.is_materialized()
