"""The operator's pages: Dagster's webserver behind our own layer.
`python -m pipelines.webserver -p 3000`.

Belongs here: putting the guard before whatever Dagster serves. Not here: what it lets through
(`guard`), who may come in (`entrance`), the daemon beside it (`commands`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from expectations.errors import OK, YihuError
from pipelines.command_line.exits import ended_by
from pipelines.web.guard import ENTER, App, Guard
from pipelines.web.sessions import Links, Sessions
from pipelines.web.sign_in import SignIn, read_password_file
from resources.settings import SettingsError, load_settings

MODULE = "pipelines.definitions"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Pages:
    """How the pages are reached, and who may do what there, as the settings say."""

    home: Path
    hosts: tuple[str, ...]
    password_file: Path | None
    user_header: str | None
    operators: tuple[str, ...]

    @property
    def is_by_link(self) -> bool:
        return self.password_file is None and self.user_header is None

    @property
    def links(self) -> Links:
        return Links(self.home / "ui" / "links")

    def door(self) -> SignIn:
        known = read_password_file(self.password_file) if self.password_file else None
        return SignIn(Sessions(), self.links, known, self.user_header, self.operators)


def load_pages(port: int) -> Pages:
    """The settings of the pages. Raises `SettingsError`."""
    settings = load_settings()
    asked = [
        host.strip() for host in os.environ.get("YIHU_UI_HOSTS", "").split(",") if host.strip()
    ]
    own = (f"127.0.0.1:{port}", f"localhost:{port}")
    password_file = os.environ.get("YIHU_UI_PASSWORD_FILE")
    path = Path(password_file).expanduser() if password_file else None
    header = os.environ.get("YIHU_UI_USER_HEADER") or None
    if path is not None and not path.is_file():
        raise SettingsError(
            [f"YIHU_UI_PASSWORD_FILE is {str(path)!r}, which is no file: make ui-user"]
        )
    if path is not None and header is not None:
        both = "YIHU_UI_PASSWORD_FILE and YIHU_UI_USER_HEADER"
        raise SettingsError([f"{both} exclude each other: unset one of them"])
    named = os.environ.get("YIHU_UI_OPERATORS", "").split(",")
    operators = tuple(name.strip() for name in named if name.strip())
    return Pages(settings.home, (*own, *asked), path, header, operators)


def entry(pages: Pages, port: int) -> str:
    """Where an operator goes: a link that lets in once,
    or the pages themselves where one signs in otherwise.
    """
    base = f"http://127.0.0.1:{port}"
    return f"{base}{ENTER}?once={pages.links.give()}" if pages.is_by_link else f"{base}/"


def serve(port: int, pages: Pages, code: Sequence[str], listen: str = LOOPBACK) -> None:
    """Serves Dagster's pages, each request past the guard, until the process is told to end.

    `listen` is loopback but in a container, whose port is published on loopback alone. `code` says
    where Dagster finds the definitions, in the words of `dagster-webserver`.
    """
    from dagster_webserver.cli import dagster_webserver

    door, plain = pages.door(), uvicorn.run

    def guarded(app: App, **options: Any) -> None:
        # whatever this process serves, it serves past the guard: Dagster has no place of its own
        # for such a layer
        plain(Guard(app, door, pages.hosts), **{**options, "server_header": False})

    uvicorn.run = guarded  # type: ignore[assignment]
    dagster_webserver(["-h", listen, "-p", str(port), *code], standalone_mode=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipelines.webserver", description=__doc__)
    parser.add_argument("-p", "--port", type=int, default=3000)
    parser.add_argument("--listen", default=LOOPBACK, help="0.0.0.0 in a container, else nothing")
    asked, code = parser.parse_known_args()
    try:
        serve(asked.port, load_pages(asked.port), code or ["-m", MODULE], asked.listen)
    except YihuError as error:
        return ended_by(error)
    return OK


if __name__ == "__main__":
    sys.exit(main())
