"""No program that yihu starts has a secret among its arguments, which everybody on the machine can
list.

Belongs here: every place that starts one, found in the source. Not here: what the programs do.
"""

from __future__ import annotations

import ast
import contextlib
import io
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from assets.release import code_version
from pipelines.development import commands
from pipelines.operator import serving
from resources import server as servers
from resources import stand_ins
from resources.departments.opened import Child, Limits
from resources.engines import java
from resources.server import Server, ServerError, with_driver
from resources.settings import ROOT, Settings, load_settings

HOUSE = ("assets", "expectations", "pipelines", "resources", "sandbox", "warehouse")
STARTS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output"},
    "os": {"system", "popen", "posix_spawn", "posix_spawnp", "fork", "forkpty", "startfile"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
}
SECRETS = {
    "YIHU_GATEWAY_KEY": "secret-of-the-gateway",
    "YIHU_PSEUDONYM_KEY": "secret-of-the-pseudonyms",
    "YIHU_WAREHOUSE_URL": "postgresql://owner:secret-of-the-owner@127.0.0.1/yihu",
    "YIHU_FRONT_DB_URL": "postgresql://reader:secret-of-the-front@127.0.0.1/front",
    "YIHU_DAGSTER_DB_URL": "postgresql+psycopg2://dagster:secret-of-dagster@127.0.0.1/dagster",
    "YIHU_ALERT_WEBHOOK": "https://127.0.0.1/secret-of-the-webhook",
    "YIHU_ALERT_SMTP_URL": "smtps://u:secret-of-the-mail@127.0.0.1",
    "YIHU_FILE_PASSWORD_HOUSING": "secret-of-a-workbook",
    "PGPASSWORD": "secret-of-a-person",
}


class Started(Exception):
    """In place of the program: its arguments."""


def _refuse(arguments: Sequence[object], *_: object, **__: object) -> None:
    raise Started(" ".join(map(str, arguments)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings in which everything that can be secret is, with nothing that starts."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(subprocess, "Popen", _refuse)
    monkeypatch.setattr(servers, "role_passwords", lambda _: {"yihu_reader": "secret-of-a-role"})
    return load_settings({"YIHU_HOME": str(tmp_path), "YIHU_GATEWAY_SID": "s", **SECRETS})


def _server(settings: Settings, url: str) -> Server:
    passwords = servers.role_passwords(settings.home)
    return Server(with_driver(url), settings.home, Path("psql"), False, passwords=passwords)


def _psql(settings: Settings, url: str = SECRETS["YIHU_WAREHOUSE_URL"], login: str = "") -> None:
    given = contextlib.nullcontext(_server(settings, url))
    with (
        mock.patch.object(serving, "warehouse_server", return_value=given),
        mock.patch.object(serving, "ensure_own_login"),
        mock.patch.object(sys, "stdin", io.StringIO()),
    ):
        serving.psql(settings, Namespace(login=login, role="yihu_reader"))


def _ui(settings: Settings) -> None:
    running = contextlib.nullcontext(SimpleNamespace(settings=settings))
    pages = SimpleNamespace(is_by_link=True)
    with (
        mock.patch.object(serving, "bring_to"),
        mock.patch.object(serving, "services", return_value=running),
        mock.patch("pipelines.webserver.load_pages", return_value=pages),
        mock.patch("pipelines.webserver.entry", return_value="secret-of-a-link"),
    ):
        serving.ui(settings, Namespace(port=3000))


def _served(settings: Settings) -> None:
    given = contextlib.nullcontext(_server(settings, SECRETS["YIHU_WAREHOUSE_URL"]))
    with (
        mock.patch.object(servers, "warehouse_server", return_value=given),
        mock.patch("resources.own_logins.ensure_own_login"),
    ):
        commands.test_served(settings, Namespace())


def _gateway(settings: Settings) -> None:
    with stand_ins._sandbox_gateway(settings):
        pass


def _java(_: Settings) -> None:
    with mock.patch.object(java.shutil, "which", return_value=sys.executable):
        with mock.patch.dict("os.environ", {"JAVA_HOME": ""}):
            java.java_home()


def _useradd(settings: Settings) -> None:
    with (
        mock.patch.object(servers.pwd, "getpwnam", side_effect=KeyError),
        mock.patch.object(servers.shutil, "which", return_value="/usr/sbin/useradd"),
    ):
        servers._system_user(settings.home)


def _cluster(settings: Settings) -> servers._Cluster:
    with mock.patch.object(servers, "_system_user", return_value=None):
        return servers._Cluster(settings.home)


PLACES: dict[str, Callable[[Settings], object]] = {
    "assets/release.py:code_version": lambda _: code_version(),
    "pipelines/development/commands.py:bench": lambda _: commands.bench(
        Namespace(folder="", scale="town")
    ),
    "resources/stand_ins.py:_sandbox": lambda s: stand_ins._sandbox(s, "county"),
    "resources/stand_ins.py:_sandbox_gateway": _gateway,
    "pipelines/development/commands.py:test_served": _served,
    "pipelines/operator/serving.py:psql": _psql,
    "pipelines/operator/serving.py:_serve": _ui,
    "resources/departments/opened.py:__init__": lambda _: Child(Limits(10, 10, 10)),
    "resources/engines/java.py:java_home": _java,
    "resources/server.py:answers": lambda s: _cluster(s).answers(),
    "resources/server.py:_run": lambda s: _cluster(s).stop(),
    "resources/server.py:_system_user": _useradd,
}


def _starting(file: Path) -> Iterator[str]:
    """The functions of a file that start a program."""
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            name, where = call.func.attr, call.func.value
            module = where.id if isinstance(where, ast.Name) else ""
            if name in STARTS.get(module, ()) or (
                module == "os" and name.startswith(("exec", "spawn"))
            ):
                yield f"{file.relative_to(ROOT).as_posix()}:{function.name}"


def test_every_place_that_starts_a_program_is_tried() -> None:
    files = [file for folder in HOUSE for file in (ROOT / folder).rglob("*.py")]
    assert {place for file in files for place in _starting(file)} == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_no_argument_is_a_secret(home: Settings, place: str) -> None:
    with pytest.raises(Started) as started:
        PLACES[place](home)
    assert str(started.value)
    assert "secret-of" not in str(started.value)


@pytest.mark.parametrize("login", ["", "li_wei"])
def test_nor_where_the_address_has_it_as_an_option(home: Settings, login: str) -> None:
    """There it would also let in everybody as the administrator, whatever login is put into the
    address: a decision would bear another's name without another's password.
    """
    address = "postgresql://127.0.0.1/?user=owner&password=secret-of-the-owner&dbname=yihu"
    with pytest.raises(Started) as started:
        _psql(home, address, login)
    assert "secret-of" not in str(started.value)
    made = _server(home, address)
    assert (made.url.username, made.url.password) == ("owner", "secret-of-the-owner")
    assert made.url.database == "yihu"
    theirs = made.url_of("li_wei")
    assert (theirs.username, theirs.password, dict(theirs.query)) == ("li_wei", None, {})


def test_a_secret_that_has_no_other_place_is_refused(home: Settings) -> None:
    with pytest.raises(ServerError, match="sslpassword"):
        _server(home, "postgresql://u@127.0.0.1/yihu?sslkey=/k&sslpassword=secret")


def test_the_list_would_find_one(home: Settings) -> None:
    """The control: a password that stands in the address is seen."""
    with pytest.raises(Started, match="secret-of-the-owner"):
        subprocess.run(["psql", SECRETS["YIHU_WAREHOUSE_URL"]], check=False)
