"""What stands in for services that nobody named: the sandbox's departments, the embedded
PostgreSQL.

Belongs here: starting them as processes, telling the settings, bringing them to a day, ending them.
Not here: what they serve.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from expectations.errors import YihuError
from resources.server import Server, warehouse_server
from resources.settings import ROOT, Settings, load_settings

SANDBOX_SEED = "20260101"
SANDBOX_START_SECONDS = 180.0


class ServiceError(YihuError):
    """A service that did not come up; the message says what to look at."""


STANDS_IN = "YIHU_STANDS_IN"
"""Set where the sandbox serves this process and those that it starts; nobody else sets it."""


@dataclass
class Services:
    """What runs beside a command, and the settings with it."""

    settings: Settings


def bring_to(settings: Settings, as_of: date) -> None:
    """Lets the sandbox's drop folder and front-end database show what the departments held on
    `as_of`, where it stands in for them.
    """
    if STANDS_IN not in os.environ:
        return
    everything = [] if settings.form == "mixed" else ["--all"]
    day = ["--as-of", as_of.isoformat()]
    if settings.form in ("file", "mixed"):
        writing = ["--writing", settings.sandbox_writing] if settings.sandbox_writing else []
        folder = ["--dir", str(settings.drop_dir)]
        _sandbox(settings, "drop", *everything, *writing, *folder, *day)
    if settings.form in ("sql", "mixed"):
        _sandbox(settings, "front-db", *everything, "--url", str(settings.front_db_url), *day)


@contextmanager
def services(settings: Settings) -> Iterator[Services]:
    """Starts what is not named outside, sets the environment accordingly,
    and leaves no process behind.
    """
    with ExitStack() as stack:
        server = stack.enter_context(warehouse_server(settings.home, settings.warehouse_url))
        running = Services(settings)
        if settings.uses_sandbox:
            stack.enter_context(_sandbox_gateway(settings))
            drop = settings.home / "sandbox" / "drop"
            drop.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.environ["YIHU_DROP_DIR"] = str(drop)
            os.environ["YIHU_FRONT_DB_URL"] = _front_database(settings, server)
            os.environ[STANDS_IN] = str(os.getpid())
            running.settings = load_settings()
        yield running


def _front_database(settings: Settings, server: Server) -> str:
    """The sandbox's front-end database: a second one of the embedded server,
    or SQLite beside a server of one's own.
    """
    if not server.is_embedded:
        return f"sqlite:///{settings.home / 'sandbox' / 'front.sqlite'}"
    with server.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if (
            connection.execute(sa.text("select 1 from pg_database where datname = 'front'")).first()
            is None
        ):
            connection.execute(sa.text("create database front"))
    return server.url.set(database="front").render_as_string(hide_password=False)


def _arguments(settings: Settings) -> list[str]:
    quiet = ["--quiet"] if os.environ.get("YIHU_PROGRESS") == "stages" else []
    return [
        *quiet,
        "--home",
        str(settings.home / "sandbox"),
        "--households",
        str(settings.sandbox_households),
        "--seed",
        SANDBOX_SEED,
    ]


def _sandbox(settings: Settings, command: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", command, *_arguments(settings), *arguments],
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise ServiceError(
            f"the sandbox could not make its {command} (exit {done.returncode})",
            f"see the lines above, or remove {settings.home / 'sandbox'}",
        )


@contextmanager
def _sandbox_gateway(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    ready = settings.home / "sandbox" / f"gateway-{os.getpid()}.json"
    ready.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ["--sid", settings.gateway_sid, "--key-file", str(settings.gateway_key_file)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sandbox",
            "serve",
            *_arguments(settings),
            *key,
            "--port",
            "0",
            "--ready-file",
            str(ready),
        ],
        cwd=ROOT,
    )
    try:
        os.environ["YIHU_GATEWAY_URL"] = _wait_for(process, ready)
        os.environ["YIHU_GATEWAY_SID"] = settings.gateway_sid
        os.environ["YIHU_GATEWAY_KEY"] = settings.gateway_key.decode()
        yield process
    finally:
        for name in (
            "YIHU_GATEWAY_URL",
            "YIHU_GATEWAY_SID",
            "YIHU_GATEWAY_KEY",
            "YIHU_DROP_DIR",
            "YIHU_FRONT_DB_URL",
            STANDS_IN,
        ):
            os.environ.pop(name, None)
        process.terminate()
        process.wait(10)
        ready.unlink(missing_ok=True)


def _wait_for(process: subprocess.Popen[bytes], ready: Path) -> str:
    deadline = time.monotonic() + SANDBOX_START_SECONDS
    while time.monotonic() < deadline:
        if ready.exists() and ready.stat().st_size:
            return str(json.loads(ready.read_text())["url"])
        if process.poll() is not None:
            raise ServiceError(
                f"the sandbox ended with exit {process.returncode} before it served",
                "see the lines above",
            )
        time.sleep(0.05)
    raise ServiceError(
        f"the sandbox did not serve within {SANDBOX_START_SECONDS:.0f} s",
        "see the lines above",
    )
