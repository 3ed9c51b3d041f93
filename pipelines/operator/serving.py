"""`yihu status`, `ui`, `ui-link`, `ui-user` and `psql`.

Belongs here: what these commands do. Not here: `yihu sync` (`sync`).
"""

from __future__ import annotations

import difflib
import getpass
import os
import re
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from threading import Event

from expectations.errors import FAILED, OK
from pipelines.command_line.typed import UsageError
from resources.own_logins import ensure_own_login
from resources.server import LOGINS, warehouse_server
from resources.settings import ROOT, Settings, SettingsError
from resources.stand_ins import bring_to, services


def status(settings: Settings, asked: Namespace) -> int:
    """Prints what `make status` promises; exit status 1 where something needs doing."""
    from pipelines.operator.status import print_status
    from pipelines.operator.status import status as look

    return OK if print_status(look(settings)) else FAILED


def psql(settings: Settings, asked: Namespace) -> int:
    """psql as a role, or with LOGIN as oneself; SQL on standard input stops at the first error.

    A role has a login of yihu's own, made when it is needed; one's own password comes by
    PGPASSWORD, PGPASSFILE or is asked for.
    """
    options = [] if sys.stdin.isatty() else ["-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        login = asked.login or asked.role or "yihu_reader"
        if login in LOGINS:
            ensure_own_login(server, login)
        elif login.startswith("yihu_"):
            near = difflib.get_close_matches(login, LOGINS, n=1)
            hint = f" (the nearest is {near[0]})" if near else ""
            raise UsageError(f"ROLE {login} is none{hint}:", f"use one of {', '.join(LOGINS)}")
        command, environment = server.psql_command(login)
        done = subprocess.run([*command, *options], env={**os.environ, **environment}, check=False)
        return done.returncode


def ui(settings: Settings, asked: Namespace) -> int:
    """The Dagster UI with its daemon, over the same data, until Ctrl-C."""
    from pipelines.webserver import MODULE, entry, load_pages

    port = asked.port
    with services(settings) as running:
        bring_to(running.settings, settings.as_of)
        pages = load_pages(port)
        print(f"yihu: the UI is at {entry(pages, port)} (Ctrl-C ends it)", flush=True)
        by_link = "the link lets in once; another: make ui-link"
        print(f"yihu: {by_link if pages.is_by_link else 'sign in there'}", flush=True)
        daemon = str(Path(sys.executable).parent / "dagster-daemon")
        return _serve(
            [sys.executable, "-m", "pipelines.webserver", "-p", str(port)],
            [daemon, "run", "-m", MODULE],
        )


def ui_link(settings: Settings, asked: Namespace) -> int:
    """Another link that lets an operator into the pages of a running `make ui`, once."""
    from pipelines.webserver import entry, load_pages

    print(entry(load_pages(asked.port), asked.port))
    return OK


def ui_user(asked: Namespace) -> int:
    """Sets the password of a user of the pages, asked for twice;
    the file is the one that YIHU_UI_PASSWORD_FILE names.
    """
    from pipelines.web.sign_in import password_line, set_password_line

    user, may_operate = asked.user, asked.right == "operator"
    path = os.environ.get("YIHU_UI_PASSWORD_FILE")
    if not path or not re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", user):
        named = "name the file in YIHU_UI_PASSWORD_FILE and the user in UI_USER=…"
        raise SettingsError([f"{named} (letters, digits, _ . @ -)"])
    password = getpass.getpass(f"password of {user} (12 characters or more): ")
    if len(password) < 12 or password != getpass.getpass("once more: "):
        raise UsageError(
            "the password is shorter than 12 characters, or the two differ; nothing was changed",
            "try again",
        )
    set_password_line(Path(path).expanduser(), password_line(user, password, may_operate))
    print(
        f"{user} may {'operate' if may_operate else 'read'}; it counts from the next start of"
        " make ui"
    )
    return OK


def _serve(*programs: list[str]) -> int:
    """Runs the webserver and the daemon until one ends or somebody asks us to;
    leaves none behind.
    """
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
