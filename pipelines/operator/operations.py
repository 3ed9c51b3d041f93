"""What operators do by hand: look at the quarantine, replay, prune, explain a lamp, try rules,
move; beside them `acting_as`.

Belongs here: these commands. Not here: what they call (`warehouse`, `expectations`).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from expectations.contract import load_contracts
from expectations.errors import FAILED, OK
from pipelines.command_line.typed import UsageError
from pipelines.operator.backup import backup, restore
from pipelines.operator.decisions import contract_named
from pipelines.operator.moving import move_warehouse
from pipelines.operator.summary import number, table
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.runtime.lock import run_lock
from resources.server import warehouse_server
from resources.settings import Settings
from warehouse import explain, quarantine, replay
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.moment import Households, Moment
from warehouse.graph.registry import layer_and_folder
from warehouse.graph.runner import Runner
from warehouse.graph.under import made_moment, moment_under, under_in_lake
from warehouse.known import county_known_from
from warehouse.layouts import LayoutError
from warehouse.rules_diff import rules_diff
from warehouse.scoring_rules import load_candidate


@contextmanager
def _engine(settings: Settings) -> Iterator[tuple[Engine, Lake]]:
    engine = Engine(settings.home / "tmp")
    try:
        yield engine, Lake(settings.lake)
    finally:
        engine.close()


@contextmanager
def _administrator(settings: Settings) -> Iterator[sa.Engine]:
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        engine = server.engine()
        try:
            yield engine
        finally:
            engine.dispose()


def _newest(lake: Lake, table_name: str, at: date) -> date:
    layer, name = layer_and_folder(table_name)
    days = [day for day in lake.days(layer, name) if day <= at]
    if not days:
        raise UsageError(f"the lake has no {table_name} up to {at}:", "run make sync first")
    return days[-1]


def show_quarantine(settings: Settings, arguments: argparse.Namespace) -> int:
    """The open quarantine of the newest day by department, record type and rule, and the rows that
    broke rules of rejected batches; with `--out`, a file per department to send back."""
    with _engine(settings) as (engine, lake):
        at = _looked_at(settings, lake)
        lines = quarantine.list_quarantine(engine, lake, load_contracts(), at)
        if not lines:
            print(f"{at}: the quarantine is empty")
        else:
            header = [
                "department",
                "records",
                "rule",
                "rows",
                "since",
                "seen at most",
                "batch",
                "batches",
            ]
            rows = [
                [
                    x.department, x.records, x.rule, number(x.rows),
                    str(x.first_seen_on), number(x.times_seen),
                    "rejected" if x.is_rejected else "accepted", ", ".join(x.batches),
                ]
                for x in lines
            ]  # fmt: skip
            print(table(header, rows))
        for rejection in quarantine.list_rejected(lake, load_contracts(), at):
            print(f"rejected: {rejection.said}\n  -> {rejection.next_step}")
        if arguments.out:
            for path in quarantine.write_corrections(
                engine, lake, load_contracts(), at, Path(arguments.out)
            ):
                print(f"to send back: {path}")
    return OK


def _looked_at(settings: Settings, lake: Lake) -> date:
    """The day that was asked for, or the newest that there is."""
    if os.environ.get("YIHU_AS_OF"):
        return settings.as_of
    days = [
        day
        for contract in load_contracts()
        for day in lake.note_days("ledger", contract.table)[-1:]
    ]
    return max(days, default=settings.as_of)


def request_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    """Has the quarantine of a record type judged anew under its contract as it is now,
    when the day is next run.
    """
    contract = contract_named(arguments.records)
    with run_lock(settings.home), _engine(settings) as (engine, lake):
        rows = replay.request_replay(engine, lake, contract, settings.as_of)
    print(
        f"{contract.table}: {rows:,} rows of the quarantine will be judged anew; now run: make sync"
        f" AS_OF={settings.as_of}"
    )
    return OK


def explain_lamp(settings: Settings, arguments: argparse.Namespace) -> int:
    """One household's lamp in plain words, how it came about day by day,
    and on request whether it comes out the same again.
    """
    again, is_same = [], True
    with _engine(settings) as (engine, lake):
        newest, beside = _explained(settings, lake)
        known_from = county_known_from(lake)
        lamps = []
        for day in [d for d in lake.days(*layer_and_folder("warning_flag")) if d <= newest][
            -arguments.days :
        ]:
            flags, reasons = (lake.relation(*layer_and_folder(table), day) for table in LAMP)
            lamp = explain.read_lamp(engine, arguments.household, day, flags, reasons)
            if lamp is not None:
                lamps.append(lamp)
        under = {
            lamp.as_of: found
            for lamp in lamps
            if (found := under_in_lake(lake, engine, lamp.as_of)) is not None
        }
        runner = Runner(engine, LakeInputs(lake, {}), load_contracts())
        for lamp in lamps if arguments.recompute else []:
            try:
                made = _recomputed(runner, lamp, moment_under(lamp.as_of, under[lamp.as_of]))
            except LayoutError as error:
                again.append(explain.not_recomputed(str(error)))
                continue
            is_same = is_same and made == lamp
            again.append(explain.recomputed(lamp, made))
    if not lamps:
        raise UsageError(
            f"no household {arguments.household} up to {newest}:",
            "take its household_id from yihu.household",
        )
    print(explain.explain(lamps[-1], known_from))
    print()
    layouts = {day: found.layout for day, found in under.items()}
    print(explain.history(lamps, layouts, known_from))
    if beside:
        print("", beside, sep="\n")
    if again:
        print("", *again, sep="\n")
    return OK if is_same else FAILED


LAMP = ("warning_flag", "warning_reason")
CURRENT = "select as_of from yihu.release where is_current"


def _explained(settings: Settings, lake: Lake) -> tuple[date, str]:
    """The day whose lamp is explained: the one that was asked for, else that of the current
    release, else the newest; and what to say of a newer day that readers do not see.
    """
    newest = _newest(lake, "warning_flag", _looked_at(settings, lake))
    current = None if os.environ.get("YIHU_AS_OF") else _current_day(settings)
    days = lake.days(*layer_and_folder("warning_flag"))
    if current is None or current not in days or current == newest:
        return newest, ""
    said = f"What readers see is the release of {current}; the lake has {newest} besides"
    return current, f"{said}: make explain AS_OF={newest} …"


def _current_day(settings: Settings) -> date | None:
    with _administrator(settings) as engine, engine.connect() as connection:
        if connection.scalar(sa.text("select to_regclass('yihu.release')")) is None:
            return None
        return connection.scalar(sa.text(CURRENT))


def _recomputed(runner: Runner, lamp: explain.Lamp, moment: Moment) -> explain.Lamp | None:
    """The lamp as the day's matched rows, rules and flags of the day before give it now,
    of the one household.
    """
    runner.make(("household_indicator", *LAMP), moment, Households(frozenset({lamp.household_id})))
    return explain.read_lamp(runner.engine, lamp.household_id, lamp.as_of)


def compare_rules(settings: Settings, arguments: argparse.Namespace) -> int:
    """Scores the newest day under a candidate rule file: who would change, and why.
    Publishes nothing.
    """
    with _engine(settings) as (engine, lake):
        day = _newest(lake, "warning_flag", settings.as_of)
        runner = Runner(engine, LakeInputs(lake, {}), load_contracts())
        print(
            rules_diff(
                runner, made_moment(lake, engine, day), load_candidate(Path(arguments.rules), day)
            ).text()
        )
    return OK


def move(settings: Settings, arguments: argparse.Namespace) -> int:
    """Copies the whole warehouse to an empty PostgreSQL:
    releases, gates, grants, decisions, the vault.
    """
    with run_lock(settings.home):
        print("\n".join(move_warehouse(settings, arguments.to)))
    return OK


def back_up(settings: Settings, arguments: argparse.Namespace) -> int:
    """Writes the warehouse's rows, who may log in,
    the lake and the secrets into a new private folder under `--out`.
    """
    target = backup(settings, Path(arguments.out))
    print(
        f"backed up to {target}: it holds identities and secrets, keep it encrypted and away from"
        " this machine"
    )
    return OK


def put_back(settings: Settings, arguments: argparse.Namespace) -> int:
    """Puts a backup into an empty YIHU_HOME and an empty warehouse."""
    print("\n".join(restore(settings, Path(arguments.source))))
    return OK
