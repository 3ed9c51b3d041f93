"""Days of a random county, from matched facts to a release; in a checkout: `python -m
tests.warehouse.new_indicator HOME URL DAY…`.

Belongs here: the way of a day through lake and warehouse without departments, and the dictionary of
the checkout. Not here: what must come of it (`test_new_indicator`).
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.indicators.county import County
from tests.making import FLAGS, FOLLOWING, HOUSEHOLDS, KEY
from warehouse.catalogue import RULES, load_catalogue
from warehouse.dictionary import DICTIONARY, dictionary
from warehouse.explain import explain, read_lamp
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.moment import Moment, day_moment
from warehouse.graph.registry import layer_and_folder, order_of, stored_tables
from warehouse.graph.runner import Runner
from warehouse.graph.under import MADE, moment_under, note_of, under_of_release
from warehouse.migrations.run import upgrade
from warehouse.publication import RunSource, publish
from warehouse.rules_diff import rules_diff
from warehouse.schema.shape import shape_of
from warehouse.scoring_rules import load_candidate

TABLES = (*HOUSEHOLDS, *FLAGS, *FOLLOWING)
BORN = date(2026, 11, 19)
"""The day around which the facts are made up: the same on every day."""


def laid(engine: Engine, lake: Lake, day: date) -> None:
    """The county's matched rows in the lake, and what comes with them."""
    County(31, BORN, 60).facts.register(engine)
    matched = [f"matched_{contract.table}" for contract in load_contracts()]
    for table in (*(table for table in stored_tables() if engine.exists(table)), *matched):
        lake.write(engine, *layer_and_folder(table), day, f"select * from {table}", order_of(table))


def moment_of(url: sa.URL, day: date) -> Moment:
    """As its release names it, or as a new day."""
    database = sa.create_engine(url, poolclass=sa.NullPool)
    upgrade(database)
    with database.connect() as connection:
        under = under_of_release(connection, day)
    return day_moment(day) if under is None else moment_under(day, under)


def run(home: Path, url: sa.URL, day: date) -> dict[str, object]:
    """Makes the day and publishes it; returns what a test looks at."""
    lake, engine = Lake(home / "lake"), Engine(home / "tmp")
    moment = moment_of(url, day)
    laid(engine, lake, day)
    runner = Runner(engine, LakeInputs(lake, {}), load_contracts(), KEY)
    runner.make(TABLES, moment)
    for table in TABLES:
        lake.write(engine, *layer_and_folder(table), day, f"select * from {table}", order_of(table))
    lake.write_note(*MADE, day, note_of(moment))
    for table in TABLES:
        runner.use(table, day)
    shape = shape_of(moment.layout, moment.catalogue)
    source = RunSource(
        "run",
        "code",
        moment.rules.version,
        following_version=moment.following.version,
        further_version=moment.further.version,
        shape=shape,
    )
    done = publish(engine, url, day, {table: table for table in TABLES}, source, home / "release")
    said = engine.rows("select household_id from warning_reason where code = 'R31' order by 1")
    lamps = [read_lamp(engine, str(household), day) for (household,) in said]
    return {
        "checksum": done.checksum,
        "release": done.release_id,
        "catalogue": len(moment.catalogue.indicators),
        "explained": [explain(lamp) for lamp in lamps if lamp is not None],
        "tried": None if moment.catalogue == load_catalogue(date.max) else tried(runner, moment),
        "tasks": engine.scalar(
            "select count(*) from follow_up_task where code = 'R31' and closed_on is null"
        ),
    }


def tried(runner: Runner, moment: Moment) -> tuple[str, int]:
    """What the newest rule file would have done on the day, and to how many R31 would have given
    points.
    """
    text = rules_diff(
        runner, moment, load_candidate(max(RULES.glob("scoring-*.yaml")), moment.as_of)
    ).text()
    return text, int(
        runner.engine.scalar("select count(*) from diff_point_after where code = 'R31'")
    )


if __name__ == "__main__":
    home, url, *days = sys.argv[1:]
    DICTIONARY.write_text(dictionary(), encoding="utf-8")
    print(json.dumps([run(Path(home), sa.make_url(url), date.fromisoformat(day)) for day in days]))
