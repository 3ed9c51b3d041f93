"""`make status`, `make ui`, `make psql`, and the check that the definitions load.

Belongs here: what these commands do. Not here: `make sync` (`sync`).
"""

from __future__ import annotations

import difflib
import getpass
import os
import re
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
    from pipelines.webserver import MODULE, entry, load_pages

    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    try:
        with services(settings) as running:
            running.bring_to(settings.as_of)
            pages = load_pages(port)
            print(f"yihu: the UI is at {entry(pages, port)} (Ctrl-C ends it)", flush=True)
            print("yihu: the link lets in once; another: make ui-link" if pages.is_by_link else "yihu: sign in there", flush=True)
            daemon = str(Path(sys.executable).parent / "dagster-daemon")
            return _serve([sys.executable, "-m", "pipelines.webserver", "-p", str(port)], [daemon, "run", "-m", MODULE])
    except SettingsError as error:
        complain(*error.problems)
        return BAD_SETTINGS
    except ServiceError as error:
        complain(str(error))
        return FAILED


def ui_link(port: int) -> int:
    """Another link that lets an operator into the pages of a running `make ui`, once."""
    from pipelines.webserver import entry, load_pages

    settings = settings_or_none()
    if settings is None:
        return BAD_SETTINGS
    print(entry(load_pages(port), port))
    return OK


def ui_user(user: str, may_operate: bool) -> int:
    """Sets the password of a user of the pages, asked for twice; the file is the one that YIHU_UI_PASSWORD_FILE names."""
    from pipelines.entrance import password_line, set_password_line

    path = os.environ.get("YIHU_UI_PASSWORD_FILE")
    if not path or not re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", user):
        complain("name the file in YIHU_UI_PASSWORD_FILE and the user in UI_USER=… (letters, digits, _ . @ -)")
        return BAD_SETTINGS
    password = getpass.getpass(f"password of {user} (12 characters or more): ")
    if len(password) < 12 or password != getpass.getpass("once more: "):
        complain("the password is shorter than 12 characters, or the two differ; nothing was changed")
        return FAILED
    set_password_line(Path(path).expanduser(), password_line(user, password, may_operate))
    print(f"{user} may {'operate' if may_operate else 'read'}; it counts from the next start of make ui")
    return OK


def _serve(*programs: list[str]) -> int:
    """Runs the webserver and the daemon until one ends or somebody asks us to; leaves none behind."""
    running = [subprocess.Popen(program, cwd=ROOT) for program in programs]
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
