"""What people do with releases: back to an earlier one, a gate opened, old versions given up.

Belongs here: `rollback`, `open_gate`, `prune`, `vacuum`. Not here: writing a release (`publish`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from warehouse.database.actor import NOBODY, Actor, acting_as, sign
from warehouse.database.write_lock import is_lock_timeout, take
from warehouse.publication.again import give_up_files
from warehouse.publication.audit import GATES
from warehouse.publication.errors import PublicationError, PublisherBusy
from warehouse.publication.folder import MANIFEST, days_of, releases_of
from warehouse.schema import OPEN, VIEWS

KEPT_DAYS = 30
CanMakeAgain = Callable[[date, int], bool]
"""Whether the lake still has what a day's release was made of."""


@dataclass(frozen=True)
class Moved:
    """Where the pointer was and where it is."""

    before: int
    now: int
    as_of: date


@dataclass(frozen=True)
class Pruned:
    """What was given up."""

    releases: tuple[int, ...]
    rows: int
    folders: tuple[Path, ...]
    emptied: tuple[Path, ...] = ()
    """Folders of kept releases that have their manifest only: they are made again on request."""
    results: int = 0
    """Validation results of days that are not kept."""


@dataclass(frozen=True)
class Kept:
    """How long what is kept."""

    releases: int = KEPT_DAYS
    """Days of releases; month ends for good."""
    folders: int | None = None
    """Days of releases whose folder has its files; month ends for good. None: as long as they."""
    results: int | None = None
    """Days of validation results; None: for good."""
    hold: Callable[[date], bool] = lambda _: False
    """Days of which nothing is given up."""
    can_make_again: CanMakeAgain = lambda *_: False


@contextmanager
def _turn(engine: sa.Engine, wait_seconds: float) -> Iterator[sa.Connection]:
    """A transaction in which nobody publishes."""
    with engine.begin() as connection:
        try:
            take(connection, wait_seconds)
        except sa.exc.OperationalError as error:
            if not is_lock_timeout(error):
                raise
            raise PublisherBusy(
                f"somebody is publishing and was not done in {wait_seconds:.0f} s:",
                "run again when they are.",
            ) from None
        yield connection


def rollback(
    engine: sa.Engine,
    by: str,
    reason: str,
    to: int | None = None,
    wait_seconds: float = 60.0,
    *,
    maker: Actor = NOBODY,
) -> Moved:
    """Makes an earlier release current again (the one before by default),
    and marks those after it as withdrawn.

    Naming a later release in `to` brings it back. No row is touched: the next run writes its
    difference as always. Either is recorded in `ops.rollback` for good, with the login that did it.

    Raises:
        PublicationError: where there is no such release, or nobody and no reason is named.
    """
    if not by.strip() or not reason.strip():
        raise PublicationError(
            "a rollback needs a person and a reason:",
            "make rollback BY=… WHY=…",
        )
    with _turn(engine, wait_seconds) as connection:
        sign(connection, maker)
        current = connection.scalar(sa.text("select release_id from ops.current_release"))
        if current is None:
            raise PublicationError(
                "nothing was published yet: there is nothing to go back from",
                "make sync",
            )
        if to is None:
            to = connection.scalar(
                sa.text(
                    "select max(release_id) from ops.release where release_id < :now and"
                    " withdrawn_at is null and pruned_at is null"
                ),
                {"now": current},
            )
        found = connection.execute(
            sa.text(
                "select release_id, as_of from ops.release where release_id = :to and pruned_at is"
                " null"
            ),
            {"to": to},
        ).one_or_none()
        if found is None:
            raise PublicationError(
                f"there is no release {'before ' + str(current) if to is None else to} that can be"
                " read:",
                "see yihu.release",
            )
        connection.execute(
            sa.text(
                "update ops.release set withdrawn_at = now(), withdrawn_by = :by, withdrawn_reason"
                " = :reason where release_id > :to and withdrawn_at is null"
            ),
            {"by": by, "reason": reason, "to": to},
        )
        connection.execute(
            sa.text(
                "update ops.release set withdrawn_at = null, withdrawn_by = null, withdrawn_reason"
                " = null where release_id = :to"
            ),
            {"to": to},
        )
        connection.execute(sa.text("update ops.current_release set release_id = :to"), {"to": to})
        connection.execute(
            sa.text(
                "insert into ops.rollback (from_release, to_release, reason, remark) values (:now,"
                " :to, :reason, :by)"
            ),
            {"now": current, "to": to, "reason": reason, "by": by},
        )
        return Moved(current, found.release_id, found.as_of)


def open_gate(
    engine: sa.Engine, as_of: date, gate: str, by: str, reason: str, *, maker: Actor = NOBODY
) -> None:
    """Lets the release of a day pass a gate, in the name of a person and with a reason; both are
    recorded, and never overwritten.

    Raises:
        PublicationError: for an unknown gate, or one that is open already,
            or where nobody and no reason is named.
    """
    if gate not in GATES:
        raise PublicationError(
            f"there is no gate {gate!r}:",
            ", ".join(f"{name} ({said})" for name, said in GATES.items()),
        )
    if not by.strip() or not reason.strip():
        raise PublicationError(
            f"gate {gate} opens for a named person with a reason:",
            f"make open-gate GATE={gate} BY=… WHY=…",
        )
    with acting_as(engine, maker) as connection:
        opened = connection.execute(
            sa.text(
                "insert into ops.gate_opening (as_of, gate, opened_by, reason) values (:as_of,"
                " :gate, :by, :reason) on conflict (as_of, gate) do nothing"
            ),
            {"as_of": as_of, "gate": gate, "by": by.strip(), "reason": reason.strip()},
        )
        if opened.rowcount == 0:
            who, when = connection.execute(
                sa.text(
                    "select opened_by, opened_at::timestamp(0) from ops.gate_opening where as_of ="
                    " :as_of and gate = :gate"
                ),
                {"as_of": as_of, "gate": gate},
            ).one()
            raise PublicationError(
                f"gate {gate} of {as_of} is open already, by {who} at {when}:",
                f"run make sync AS_OF={as_of}",
            )


def prune(
    engine: sa.Engine,
    release_dir: Path,
    today: date,
    kept_days: int = KEPT_DAYS,
    wait_seconds: float = 60.0,
    *,
    kept: Kept | None = None,
    is_plan: bool = False,
) -> Pruned:
    """Gives up the versions that no kept release reads,
    and the folders of releases that are not kept.

    Kept: the current release, the last one written, those of the last `kept_days` days, and the
    last of each month for good; `kept` says it more closely. `is_plan`: says what would go.
    """
    how = kept or Kept(kept_days)
    since = today - timedelta(days=how.releases)
    with _turn(engine, wait_seconds) as connection:
        rows = connection.execute(
            sa.text(
                "select release_id, as_of, withdrawn_at is not null as is_withdrawn from"
                " ops.release where pruned_at is null order by 1"
            )
        ).all()
        current = connection.scalar(sa.text("select release_id from ops.current_release"))
        listed = [tuple(row) for row in rows]
        stay = _kept(listed, current, since) | {r for r, as_of, _ in listed if how.hold(as_of)}
        gone = tuple(int(row.release_id) for row in rows if row.release_id not in stay)
        deleted = results = 0
        if is_plan:
            deleted = sum(_versions_of_none(connection, view.name, stay) for view in VIEWS)
        elif gone:
            for view in VIEWS:
                deleted += connection.execute(
                    sa.text(f'delete from store."{view.name}" as t where {NO_KEPT_RELEASE}'),
                    {"kept": sorted(stay)},
                ).rowcount
            connection.execute(
                sa.text("update ops.release set pruned_at = now() where release_id = any(:gone)"),
                {"gone": list(gone)},
            )
            connection.execute(
                sa.text("delete from ops.source_status where release_id = any(:gone)"),
                {"gone": list(gone)},
            )
        if how.results is not None:
            days = sorted({as_of for r, as_of, _ in listed if r in stay})
            last = today - timedelta(days=how.results)
            results = _results(connection, last, days, how.hold, is_plan)
        given_up = set(
            connection.scalars(
                sa.text("select release_id from ops.release where pruned_at is not null")
            )
        ) | set(gone)
    folders = _prune_folders(release_dir, given_up, since, how.hold, is_plan)
    emptied: tuple[Path, ...] = ()
    if how.folders is not None:
        whole = _kept([row for row in listed if row[0] in stay], current, _since(today, how))
        emptied = _empty_folders(release_dir, stay - whole, how, is_plan)
    if not is_plan:
        _vacuum(engine, bool(gone))
    return Pruned(gone, deleted, folders, emptied, results)


def _since(today: date, how: Kept) -> date:
    return today - timedelta(days=how.folders or 0)


NO_KEPT_RELEASE = (
    f"t.until_release <> {OPEN} and not exists (select 1 from unnest(cast(:kept as integer[]))"
    " as k (id) where t.from_release <= k.id and t.until_release > k.id)"
)


def _versions_of_none(connection: sa.Connection, view: str, kept: set[int]) -> int:
    """The versions of a table that no kept release reads."""
    select = f'select count(*) from store."{view}" as t where {NO_KEPT_RELEASE}'
    return int(connection.scalar(sa.text(select), {"kept": sorted(kept)}) or 0)


def _results(
    connection: sa.Connection,
    last: date,
    days: list[date],
    hold: Callable[[date], bool],
    is_plan: bool,
) -> int:
    """Gives up the validation results of days before `last` that no kept release is of."""
    table = "from ops.validation_result where as_of < :last and as_of <> all(:days)"
    found = connection.scalars(
        sa.text(f"select distinct as_of {table}"), {"last": last, "days": days}
    )
    gone = [day for day in found if not hold(day)]
    select = "from ops.validation_result where as_of = any(:gone)"
    rows = int(connection.scalar(sa.text(f"select count(*) {select}"), {"gone": gone}) or 0)
    if not is_plan:
        connection.execute(sa.text(f"delete {select}"), {"gone": gone})
    return rows


def _kept(rows: list[tuple[int, date, bool]], current: int | None, since: date) -> set[int]:
    kept = {release_id for release_id, as_of, _ in rows if as_of >= since}
    kept |= {
        release_id
        for release_id in (current, max((row[0] for row in rows), default=None))
        if release_id is not None
    }
    month_ends: dict[tuple[int, int], tuple[date, int]] = {}
    for release_id, as_of, is_withdrawn in rows:
        if not is_withdrawn:
            month = (as_of.year, as_of.month)
            month_ends[month] = max(month_ends.get(month, (as_of, release_id)), (as_of, release_id))
    return kept | {release_id for _, release_id in month_ends.values()}


def _empty_folders(
    release_dir: Path, releases: set[int], how: Kept, is_plan: bool
) -> tuple[Path, ...]:
    """Leaves of the folders of these releases the manifest, where the lake gives them again."""
    emptied = []
    for day, folder in days_of(release_dir):
        for release_id, release in releases_of(folder):
            if (
                release_id in releases
                and (release / MANIFEST).is_file()
                and any(release.glob("*.parquet"))
                and how.can_make_again(day, release_id)
            ):
                emptied.append(release)
                if not is_plan:
                    give_up_files(release)
    return tuple(emptied)


def _prune_folders(
    release_dir: Path,
    given_up: set[int],
    since: date,
    hold: Callable[[date], bool],
    is_plan: bool,
) -> tuple[Path, ...]:
    """Folders of releases that were given up, and old ones that were never published; a folder that
    the database does not know stays.
    """
    gone = []
    for day, folder in days_of(release_dir):
        for release_id, release in releases_of(folder):
            is_old = release_id is None and day < since and not hold(day)
            if is_old or release_id in given_up:
                gone.append(release)
                if not is_plan:
                    shutil.rmtree(release)
        if not any(folder.iterdir()):
            folder.rmdir()
    return tuple(gone)


def _vacuum(engine: sa.Engine, is_worth_it: bool) -> None:
    """Gives the room back, outside of a transaction;
    a login that does not own the tables leaves it to autovacuum.
    """
    if not is_worth_it:
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for view in VIEWS:
            connection.exec_driver_sql(f'vacuum (analyze) store."{view.name}"')
