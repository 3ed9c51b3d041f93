"""`make status`, `make ui`, `make psql`, and the check that the definitions load.

Belongs here: what these commands do. Not here: `make sync` (`sync`).
"""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

from pipelines.environment import prepare
from pipelines.own_logins import ensure_own_login
from pipelines.services import ServiceError, services
from pipelines.sync import BAD_SETTINGS, FAILED, OK, complain
from resources.server import LOGINS, ServerError, warehouse_server
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
    """Loads the definitions and resolves every job, schedule and asset of them."""
    if settings_or_none() is None:
        return BAD_SETTINGS
    import dagster as dg

    from pipelines.definitions import build_defs

    defs = build_defs()
    dg.Definitions.validate_loadable(defs)
    print(f"definitions: {len(list(defs.resolve_all_asset_specs()))} assets, {len(list(defs.jobs or []))} jobs, all load")
    return OK


def status() -> int:
    """Prints what `make status` promises; exit status 1 where something needs doing."""
    from pipelines.status import print_status
    from pipelines.status import status as look

    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    return OK if print_status(look(settings)) else FAILED


def psql(role: str, login: str = "") -> int:
    """psql as a role, or with `login` as oneself; with SQL on standard input it runs that and stops at the first error.

    A role has a login of yihu's own, made when it is needed; one's own password comes by PGPASSWORD, PGPASSFILE or is asked for.
    """
    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    options = [] if sys.stdin.isatty() else ["-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
    try:
        with warehouse_server(settings.home, settings.warehouse_url) as server:
            role = role or os.environ.get("YIHU_TYPED_ROLE") or "yihu_reader"
            login = login or os.environ.get("YIHU_TYPED_LOGIN") or role
            if login in LOGINS:
                ensure_own_login(server, login)
            elif login.startswith("yihu_"):
                near = difflib.get_close_matches(login, LOGINS, n=1)
                raise ServerError(f"ROLE {login} is none{f' (the nearest is {near[0]})' if near else ''}: use one of {', '.join(LOGINS)}")
            command, environment = server.psql_command(login)
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
            return _serve(["dagster-webserver", "-h", "127.0.0.1", "-p", str(port)], ["dagster-daemon", "run"])
    except ServiceError as error:
        complain(str(error))
        return FAILED


def _serve(*programs: list[str]) -> int:
    """Runs Dagster's own programs over our definitions until one ends or somebody asks us to; leaves none behind."""
    folder = Path(sys.executable).parent
    running = [subprocess.Popen([str(folder / name), *options, "-m", "pipelines.definitions"], cwd=ROOT) for name, *options in programs]
    asked = Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked.set())
    while not asked.wait(0.5) and all(process.poll() is None for process in running):
        pass
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return OK if asked.is_set() else FAILED
