"""`make status`, `make ui`, `make psql`, and the check that the definitions load.

Belongs here: what these commands do. Not here: `make sync` (`sync`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from pipelines.environment import prepare
from pipelines.services import ServiceError, services
from pipelines.sync import BAD_SETTINGS, FAILED, OK, complain
from resources.server import ServerError, warehouse_server
from resources.settings import ROOT, Settings, SettingsError, load_settings


def settings_or_none() -> Settings | None:
    """The settings, with Dagster's home prepared; None after saying what is wrong with them."""
    try:
        settings = load_settings()
    except SettingsError as error:
        complain(*error.problems)
        return None
    prepare(settings)
    return settings


def check() -> int:
    """Loads the definitions as the code server does."""
    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    return subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "pipelines.definitions", "--log-level", "error"],
        cwd=ROOT,
        check=False,
    ).returncode


def status() -> int:
    """Prints what `make status` promises; exit status 1 where something needs doing."""
    from pipelines.status import print_status
    from pipelines.status import status as look

    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    return OK if print_status(look(settings)) else FAILED


def psql(role: str) -> int:
    """psql as a role; with SQL on standard input it runs that and stops at the first error."""
    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    options = [] if sys.stdin.isatty() else ["-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
    try:
        with warehouse_server(settings.home, settings.warehouse_url) as server:
            command, environment = server.psql_command(role)
            return subprocess.run([*command, *options], env={**os.environ, **environment}, check=False).returncode
    except ServerError as error:
        complain(str(error))
        return FAILED


def ui(port: int) -> int:
    """The Dagster UI with its daemon, over the same data, until Ctrl-C."""
    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    try:
        with services(settings) as running:
            running.bring_to(settings.as_of)
            print(f"yihu: the UI is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "dagster",
                    "dev",
                    "-m",
                    "pipelines.definitions",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(port),
                    "--log-level",
                    "warning",
                ],
                cwd=ROOT,
            )
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            try:
                return process.wait()
            except KeyboardInterrupt:
                process.wait(20)
                return OK
    except ServiceError as error:
        complain(str(error))
        return FAILED
