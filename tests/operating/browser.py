"""A headless Chromium, driven over its own protocol: opens a page, reads what it shows, clicks,
takes a picture.

Belongs here: that. Not here: which pages there are, and what they must show (`test_browser`).
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]
SECONDS = 180.0
"""Patience with a page, on a machine with other work."""

SHOWN = "document.body ? document.body.innerText : ''"
CLICK = """
(() => {{
  const found = [...document.querySelectorAll('a, button, div, span')].filter(e => e.innerText &&
      e.innerText.trim() === {text});
  if (!found.length) return false;
  found[found.length - 1].click();
  return true;
}})()
"""


CLICK_IN_ROW = """
(() => {{
  const row = [...document.querySelectorAll('tr')].find(e => e.cells.length &&
      e.cells[0].innerText.trim() === {row});
  const found = row && [...row.querySelectorAll('a, button, span, div')].filter(e => e.innerText &&
      e.innerText.trim() === {text}).at(-1);
  if (!found) return false;
  found.click();
  return true;
}})()
"""


class NotShown(AssertionError):
    """A page that does not say what it must."""


def program() -> str | None:
    """The Chromium of this machine, None where there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv(timeout=SECONDS))
            if answer.get("id") == self._number:
                return dict(answer.get("result", {}))

    def _value(self, script: str) -> Any:
        return (
            self._call("Runtime.evaluate", expression=script, returnByValue=True)
            .get("result", {})
            .get("value")
        )

    def text(self) -> str:
        """What the page says, with single blanks between."""
        return " ".join(str(self._value(SHOWN) or "").split())

    def open(self, url: str, *says: str, width: int = 1400, height: int = 900) -> str:
        """Opens the page and waits until it says all of it; returns what it shows. Raises
        `NotShown`.
        """
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._call("Page.navigate", url=url)
        return self.wait(url, *says)

    def wait(self, what: str, *says: str) -> str:
        _until(
            lambda: (
                not (lacking := [s for s in says if s not in self.text()]) or _raise(what, lacking)
            )
        )
        return self.text()

    def click(self, text: str) -> None:
        """Clicks what says exactly that, the last where several do."""
        _until(
            lambda: (
                bool(self._value(CLICK.format(text=json.dumps(text)))) or _raise("click", [text])
            )
        )

    def click_in_row(self, row: str, text: str) -> None:
        """Clicks what says exactly that in the table's row whose first cell is `row`."""
        script = CLICK_IN_ROW.format(row=json.dumps(row), text=json.dumps(text))
        _until(lambda: bool(self._value(script)) or _raise(f"row {row}", [text]))

    def count(self, selector: str) -> int:
        return int(self._value(f"document.querySelectorAll({json.dumps(selector)}).length") or 0)

    def has(self, selector: str, count: int = 1) -> None:
        """Waits until so many of it are there. Raises `NotShown`."""
        _until(lambda: self.count(selector) == count or _raise("the page", [selector]))

    def fetches(self, path: str, body: object) -> int:
        """The status of a POST of JSON by a script of the page's own."""
        options = {
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(body),
        }
        script = f"fetch({json.dumps(path)}, {json.dumps(options)}).then(answer => answer.status)"
        answer = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        return int(answer["result"]["value"])

    def shoot(self, path: Path) -> None:
        """The page as it stands, as PNG."""
        time.sleep(1.0)  # what moves has come to rest
        path.write_bytes(
            base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        )


def _raise(what: str, lacking: list[str]) -> bool:
    raise NotShown(f"{what} does not show {', '.join(lacking)}")


def _until(is_so: Callable[[], bool]) -> None:
    """Tries again until it raises nothing, and raises the last of it when that takes too long."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            is_so()
            return
        except NotShown:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


@contextmanager
def chromium() -> Iterator[Page]:
    """A Chromium of its own, with a tab."""
    found = program()
    if found is None:
        raise FileNotFoundError("no Chromium on this machine")
    with tempfile.TemporaryDirectory(prefix="yihu-chromium-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [found, *QUIET, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            told = Path(folder) / "DevToolsActivePort"
            _until(lambda: told.exists() or _raise("Chromium", ["its port"]))
            port = told.read_text().split()[0]
            with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS) as answer:
                (tab,) = [
                    target for target in json.loads(answer.read()) if target["type"] == "page"
                ]
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(30)
