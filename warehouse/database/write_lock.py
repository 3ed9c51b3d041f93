"""Whose turn it is to write: publishers, rollback, pruning, periods, upgrades;
and who holds them up.

Belongs here: the turn, and ending the sessions that stand in its way. Not here: what is written.

The turn is a lock on a table on which consumers have no right, so that none of them can hold it.
What a consumer can do is stay in a transaction that has read: that keeps an upgrade from its views,
and whoever reads after it waits with it. So nobody waits for long: a writer lets go, tries again,
then ends the consumers' sessions, or names them where it may not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

T = TypeVar("T")

TURN = "ops.turn"
PATIENCE = (0.8, 0.8, 0.8, 3.0, 5.0, 10.0)
"""Seconds that a statement waits for a lock before the transaction lets go of all of its own, try
by try. At first less than the second after which PostgreSQL looks for deadlocks, so that a reader
who waits for us is not the one that it ends."""
LOOKS = 3
"""Who is in the way at so many looks in a row, in one transaction, stays:
a reader who comes and goes is left alone.
"""
PAUSE_SECONDS = 1.0
LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK = "40P01"

TAKE_WRITE_LOCK = f"lock table {TURN} in exclusive mode"

_HOLDERS = """
select distinct a.pid, a.usename::text, l.virtualtransaction
from pg_locks as l
join pg_stat_activity as a on a.pid = l.pid
join pg_class as c on c.oid = l.relation
join pg_namespace as n on n.oid = c.relnamespace
where l.locktype = 'relation' and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and n.nspname in ('yihu', 'yihu_in', 'store', 'ops', 'vault')
    and l.mode <> all(:harmless) and a.pid <> pg_backend_pid() and a.usename <> session_user
    and not exists (
        select 1 from pg_locks as t
        where t.pid = a.pid and t.granted and t.relation = to_regclass('ops.turn')
            and t.mode = 'ExclusiveLock'
    )
order by 1
"""
"""Sessions of others that hold anything of ours, but for one whose turn it is."""


READING = "AccessShareLock"
"""What a session holds that has only read: in the way of an upgrade, and of nobody else."""


@dataclass(frozen=True)
class BlockingSession:
    """A session that holds something of ours."""

    pid: int
    login: str
    transaction: str

    def __str__(self) -> str:
        return f"{self.login} (process {self.pid})"


def patient(seconds: float) -> str:
    """The statement after which others wait so long for a lock."""
    return f"set local lock_timeout = {max(1, int(seconds * 1000))}"


def take(
    connection: sa.Connection, wait_seconds: float, lock_timeout: float = PATIENCE[-1]
) -> None:
    """Waits for the turn; what comes after it waits for locks as `lock_timeout` says.

    Raises the driver's error when in vain.
    """
    connection.exec_driver_sql(patient(wait_seconds))
    connection.exec_driver_sql(TAKE_WRITE_LOCK)
    connection.exec_driver_sql(patient(lock_timeout))


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a statement of ours waited for somebody's lock, in vain."""
    origin = getattr(error, "orig", error)
    return getattr(origin, "sqlstate", None) in (LOCK_NOT_AVAILABLE, DEADLOCK)


def with_lock_retries(
    attempt: Callable[[float], T],
    holders_at: sa.Engine,
    harmless: Sequence[str] = (READING,),
    held_up: Callable[[BaseException], bool] = is_lock_timeout,
) -> T:
    """What `attempt(patience)` returns, tried again while somebody's lock is in its way;
    who stays in one transaction is ended.

    `harmless`: modes of locks that are in nobody's way here. Raises what `attempt` raises, the last
    time too: then `blocking_sessions` says who could not be ended.
    """
    looks: list[set[BlockingSession]] = []
    for lock_timeout in PATIENCE[:-1]:
        try:
            return attempt(lock_timeout)
        except Exception as error:
            if not held_up(error):
                raise
        looks.append(set(blocking_sessions(holders_at, harmless)))
        if len(looks) >= LOOKS:
            end(
                holders_at, sorted(set.intersection(*looks[-LOOKS:]), key=lambda holder: holder.pid)
            )
        time.sleep(PAUSE_SECONDS)
    return attempt(PATIENCE[-1])


def blocking_sessions(
    engine: sa.Engine, harmless: Sequence[str] = (READING,)
) -> Sequence[BlockingSession]:
    """Who holds something of ours in another mode than the harmless ones."""
    with engine.connect() as connection:
        found = connection.execute(sa.text(_HOLDERS), {"harmless": list(harmless)})
        return [
            BlockingSession(int(pid), str(login), str(transaction))
            for pid, login, transaction in found
        ]


def end(engine: sa.Engine, holders: Iterable[BlockingSession]) -> None:
    """Ends these sessions, as far as we may."""
    for holder in holders:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _end(connection, holder)


def _end(connection: sa.Connection, holder: BlockingSession) -> bool:
    """Ends one session; an owner that made the login may first have to become a member of it."""
    login = connection.dialect.identifier_preparer.quote(holder.login)
    ours = connection.dialect.identifier_preparer.quote(
        str(connection.scalar(sa.text("select current_user")))
    )
    for before, after in (
        (None, None),
        (f"grant {login} to {ours}", f"revoke {login} from {ours}"),
    ):
        try:
            if before is not None:
                connection.exec_driver_sql(before)
            return bool(
                connection.scalar(sa.text("select pg_terminate_backend(:pid)"), {"pid": holder.pid})
            )
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != "42501":
                raise
        finally:
            if after is not None:
                _quietly(connection, after)
    return False


def _quietly(connection: sa.Connection, statement: str) -> None:
    try:
        connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError:
        return
