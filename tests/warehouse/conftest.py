"""One embedded server for all tests of the warehouse; a database of its own, made from a template,
for who changes it.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from resources.engines.duckdb import Engine
from resources.server import Server, embedded, with_login
from tests.warehouse.county import TOWNS, make_asked, make_county, make_followers
from warehouse.database.access import grant
from warehouse.migrations import upgrade
from warehouse.publication import PublishResult, RunSource, publish
from warehouse.schema.roles import ROLES as OWN_ROLES
from warehouse.schema.shape import Shape, newest_shape

DAY = date(2026, 11, 19)
INSTALLED = Path(os.environ.get("YIHU_TEST_POSTGRESQL", "/usr/lib/postgresql"))
"""A folder with a folder for each version, `bin` in it: Debian's, or another's."""
ROLES = (
    "yihu_reader",
    "yihu_area",
    "yihu_department",
    "yihu_steward",
    "yihu_auditor",
    "yihu_publisher",
    "yihu_analyst",
    "stranger",
)
HOUSEHOLD_OF_TOWN = {town: f"H{number:09d}" for number, town in enumerate(TOWNS)}
MINE, OTHER = TOWNS[1], TOWNS[2]


def installed_binaries() -> Path | None:
    """The newest PostgreSQL that the machine has, 15 or later."""
    found = sorted(
        (int(p.parents[1].name), p.parent)
        for p in INSTALLED.glob("*/bin/pg_ctl")
        if p.parents[1].name.isdigit()
    )
    return next((path for version, path in reversed(found) if version >= 15), None)


@dataclass(frozen=True)
class Warehouse:
    """A database with the schema, and what tests do with it."""

    server: Server
    database: str
    folder: Path
    days: itertools.count[int] = field(default_factory=itertools.count)

    def url(self, login: str | None = None) -> sa.URL:
        return replace(self.server, url=self.server.url.set(database=self.database)).url_of(login)

    def engine(self, login: str | None = None) -> sa.Engine:
        return sa.create_engine(self.url(login), poolclass=sa.NullPool)

    def rows(self, sql: str, login: str | None = None) -> list[tuple[object, ...]]:
        with self.engine(login).begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def one(self, sql: str, login: str | None = None) -> object:
        return self.rows(sql, login)[0][0]

    @property
    def releases(self) -> Path:
        return self.folder / "release"

    def publish(
        self,
        as_of: date = DAY,
        households: int = 200,
        *,
        day: int = 0,
        changed: str = "false",
        login: str | None = "yihu_publisher",
        is_provisional: bool = False,
        after: Callable[[Engine, dict[str, str]], None] | None = None,
        shape: Shape | None = None,
        **options: object,
    ) -> PublishResult:
        """Publishes a county of the generator; `after` may spoil it first."""
        engine = Engine(self.folder / "tmp", threads=1)
        try:
            tables = make_county(engine, households, day, changed)
            if after is not None:
                after(engine, tables)
            source = RunSource(
                "run", "code", "rules1", is_provisional, shape=shape or newest_shape()
            )
            return publish(
                engine,
                self.url(login),
                as_of,
                tables,
                source,
                self.releases,
                **options,  # type: ignore[arg-type]
            )
        finally:
            engine.close()


@contextmanager
def new_home(binaries: Path | None = None) -> Iterator[Path]:
    """A home whose embedded server was started once and stopped; deleted afterwards.

    Not under pytest's own folder, which it closes to other users whenever another pytest starts.
    """
    with TemporaryDirectory(prefix="yihu-test-") as folder:
        subprocess.run(["cp", "-a", f"{_stopped(binaries).name}/postgres", folder], check=True)
        yield Path(folder)


@cache
def _stopped(binaries: Path | None) -> TemporaryDirectory[str]:
    """What `new_home` copies: PostgreSQL takes a second to make the files of a new server."""
    folder = TemporaryDirectory(prefix="yihu-test-")
    atexit.register(folder.cleanup)
    with embedded(Path(folder.name), binaries) as running:
        administrator = running.engine().execution_options(isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql("alter system set fsync = off")
    return folder


@contextmanager
def short_lived(binaries: Path | None = None) -> Iterator[Server]:
    """A server of its own."""
    with new_home(binaries) as home, embedded(home, binaries) as running:
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with short_lived() as running:
        yield running


@pytest.fixture(scope="session")
def installed_server() -> Iterator[Server]:
    """The PostgreSQL of the machine, Debian's."""
    binaries = installed_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL 15 or later is installed here")
    with short_lived(binaries) as running:
        yield running


SERVERS = ("server", pytest.param("installed_server", marks=pytest.mark.long))
"""What is tried on both of them is tried on the embedded one by day."""


@pytest.fixture(scope="session", params=SERVERS)
def any_server(request: pytest.FixtureRequest) -> Server:
    """The embedded server, and by night the one that the machine has, where it has one."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def other_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One that no warehouse was ever on, of another version where this machine has one."""
    if installed_binaries() is not None:
        yield request.getfixturevalue("installed_server")
        return
    with short_lived() as running:
        yield running


_numbers = itertools.count(1)


def _administrator(server: Server) -> sa.Engine:
    """Outside of any warehouse."""
    url = server.url.set(database="postgres")
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


def make_warehouse(server: Server, folder: Path, model: str = "model") -> Warehouse:
    """A database of its own with the schema, or a copy of another: a template is made once per
    server.
    """
    name = f"w{next(_numbers)}"
    with _administrator(server).connect() as connection:
        there = sa.text("select 1 from pg_database where datname = :name")
        if connection.scalar(there, {"name": model}) is None:
            connection.exec_driver_sql(f"create database {model} template template0")
            upgrade(
                sa.create_engine(server.url.set(database=model), poolclass=sa.NullPool),
                server.passwords,
            )
        connection.exec_driver_sql(f"create database {name} template {model}")
    made = Warehouse(server, name, folder)
    # what belongs to a database and not to its schemas does not come with a template
    upgrade(made.engine(), server.passwords)
    return made


OWNER = "county_owner"


def make_owned(server: Server, folder: Path) -> Warehouse:
    """A warehouse as on a server of one's own: whoever owns it is no superuser, and `engine()` is
    theirs.
    """
    name = f"owned{next(_numbers)}"
    with _administrator(server).connect() as connection:
        there = set(connection.scalars(sa.text("select rolname from pg_roles")))
        if OWNER not in there:
            connection.exec_driver_sql(f"create role {OWNER} login createrole password 'pw-owner'")
        if connection.dialect.server_version_info >= (
            16,
        ):  # from 16 on who made a role may give it, and nobody else
            for role in there.intersection(OWN_ROLES):
                connection.exec_driver_sql(f"grant {role} to {OWNER} with admin option")
        connection.exec_driver_sql(
            f"create database {name} owner {OWNER} template template0 encoding 'UTF8'"
        )
    url = with_login(server.url, OWNER, "pw-owner").set(database=name)
    made = Warehouse(replace(server, url=url, is_embedded=False), name, folder)
    upgrade(made.engine(), server.passwords)
    assert made.one("select rolsuper from pg_roles where rolname = session_user") is False
    return made


@contextmanager
def _given_up(made: Warehouse, server: Server | None = None) -> Iterator[Warehouse]:
    """A warehouse that is gone afterwards: a server that holds hundreds stops slowly.

    `server`: as its administrator reaches it, where the warehouse's owner is none.
    """
    yield made
    with _administrator(server or made.server).connect() as connection:
        connection.exec_driver_sql(f"drop database {made.database} with (force)")
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def warehouse(server: Server, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty warehouse."""
    with _given_up(make_warehouse(server, tmp_path)) as made:
        yield made


@pytest.fixture(scope="session")
def once_released(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """What `released` is a copy of."""
    made = make_warehouse(server, tmp_path_factory.mktemp("released"))
    made.publish()
    return made


@pytest.fixture
def released(once_released: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse with the release of `DAY`: 200 households as they are on day 0."""
    made = make_warehouse(once_released.server, tmp_path, once_released.database)
    shutil.copytree(once_released.releases, made.releases, copy_function=os.link)
    with _given_up(made):
        yield made


@pytest.fixture(scope="session")
def published(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with two releases, every view of them filled, that nobody changes."""
    made = make_warehouse(server, tmp_path_factory.mktemp("published"))
    made.publish(after=_followed)
    made.publish(date(2026, 11, 20), day=20, changed="n % 100 = 1", after=_followed)
    return made


def _followed(engine: Engine, tables: dict[str, str]) -> None:
    tables.update(make_followers(engine))


@pytest.fixture
def stranger(published: Warehouse) -> Iterator[None]:
    """Somebody made a large object: it belongs to nobody of ours, and must break no backup."""
    published.rows("select lo_from_bytea(4711, 'x')")
    yield
    published.rows("select lo_unlink(4711)")


def attempt(connection: sa.Connection, sql: str) -> bool:
    """True where the database let it through; what is refused is refused for want of privilege,
    nothing else.
    """
    with connection.begin() as transaction:
        try:
            connection.exec_driver_sql(sql)
        except sa.exc.IntegrityError:
            return True
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") not in ("42501", "55000"):
                raise
            return False
        finally:
            transaction.rollback()
    return True


def _more(engine: Engine, tables: dict[str, str]) -> None:
    tables.update(make_asked(engine))
    engine.table(
        "people",
        """
        select member_id, md5(member_id) as person_key, household_id,
          '61092119800101' || right(member_id, 4) as id_number, '徐某某' as name
        from household_member
        """,
    )
    engine.table(
        "raw",
        """
        select 'housing' as department, 'dwellings' as records, 'b1' as batch_id, 1 as row_number,
          '123456789012345678' as record_key, ['r'] as rules, '{}' as raw
        """,
    )
    engine.table(
        "queue",
        """
        select 'q1' as queue_id, 'housing' as department, 'dwellings' as records, 'D1' as record_id,
          'tie' as reason, 1 as candidate_count
        """,
    )
    engine.table(
        "candidate",
        "select 'q1' as queue_id, 1 as position, 'k' as person_key, 'M1' as member_id, 'H1' as"
        " household_id, '徐某某' as name",
    )
    engine.table(
        "verify_item",
        """
        select household_id, d as department, 'R04' as code, '1' as value,
          date '2026-11-19' as since, area_code, town_code
        from household, (values ('housing'), ('civil_affairs')) as t(d)
        """,
    )
    tables["verify_item"] = "verify_item"


@pytest.fixture(scope="session")
def guarded(any_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with logins of every kind, and things in the vault."""
    made = make_warehouse(any_server, tmp_path_factory.mktemp("guarded"))

    made.publish(
        after=_more,
        extras={
            "person": "people",
            "quarantine": "raw",
            "quarantine_row": "raw",
            "review_queue": "queue",
            "queue_candidate": "candidate",
        },
    )
    administrator = made.engine()
    grant(administrator, "officer", "yihu_area", [MINE], password="pw-officer")
    grant(administrator, "nobody_yet", "yihu_area", password="pw-nobody")
    grant(administrator, "clerk", "yihu_department", departments=["housing"], password="pw-clerk")
    with administrator.begin() as connection:
        if connection.scalar(sa.text("select 1 from pg_roles where rolname = 'stranger'")) is None:
            connection.exec_driver_sql("create role stranger login password 'pw-stranger'")
        # past the door, which is closed to strangers (test_deciding), so that the walls behind it
        # are tried too
        connection.exec_driver_sql(f"grant connect on database {made.database} to stranger")
    made.server.passwords.update(
        officer="pw-officer", nobody_yet="pw-nobody", clerk="pw-clerk", stranger="pw-stranger"
    )
    return made
