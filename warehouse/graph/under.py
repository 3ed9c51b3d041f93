"""Under what a day was made: its layout, and the versions of rules, of what follows,
of the catalogue.

A release names them, and so do the day's tables in the lake: a day that was released is made anew
under the same, whatever was installed since. Belongs here: reading the names and finding what they
name. Not here: what is in force on a day that was never released (`moment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from expectations.engine import SqlEngine
from warehouse.catalogue import load_catalogue
from warehouse.following_rules import load_following
from warehouse.further_rules import load_further
from warehouse.graph.inputs import GraphLake
from warehouse.graph.moment import Moment, day_moment
from warehouse.graph.registry import layer_and_folder
from warehouse.layouts import FIRST, refuse_unmade
from warehouse.scoring_rules import load_rules, named

MADE = ("flags", "made")
"""Notes in the lake: under what each day's lamps were made."""
RELEASE = """
select to_jsonb(r) from ops.release as r
where r.as_of = :as_of and not r.is_provisional order by r.release_id desc limit 1
"""
"""Whole, since a warehouse of older code has fewer columns."""


@dataclass(frozen=True)
class Under:
    """The versions, as they are named; None where nobody named one yet."""

    rule_version: str
    following_version: str | None = None
    catalogue_version: str | None = None
    layout: str = FIRST
    further_version: str | None = None


def under_of(moment: Moment) -> Under:
    """What a day that is made now is made under."""
    versions = (moment.rules.version, moment.following.version, moment.catalogue.version)
    return Under(*versions, moment.layout, moment.further.version)


def moment_under(as_of: date, under: Under) -> Moment:
    """The day as it was made.

    Raises `LayoutError` where its layout is not made any more, `RuleError` where a version was
    edited since.
    """
    refuse_unmade(under.layout, f"the release of {as_of}")
    rules = replace(named(under.rule_version, load_rules), as_of=as_of)
    followed, began = under.following_version, rules.scoring.effective_from
    following = named(followed, load_following) if followed else load_following(as_of)
    known = under.catalogue_version
    catalogue = named(known, load_catalogue) if known else load_catalogue(began)
    besides = under.further_version
    further = named(besides, load_further) if besides else load_further(as_of)
    made = replace(day_moment(as_of, rules, following), catalogue=catalogue, layout=under.layout)
    return replace(made, further=further)


def _from(said: Mapping[str, Any]) -> Under:
    names = [name for name in Under.__dataclass_fields__ if said.get(name) is not None]
    return Under(**{name: said[name] for name in names})


def under_of_release(connection: sa.Connection, as_of: date) -> Under | None:
    """What the day's last release names; None where there is none, or a provisional one alone."""
    if connection.scalar(sa.text("select to_regclass('ops.release')")) is None:
        return None
    said = connection.scalar(sa.text(RELEASE), {"as_of": as_of})
    return None if said is None else _from(said)


def under_in_lake(lake: GraphLake, engine: SqlEngine, as_of: date) -> Under | None:
    """What the day's lamps in the lake were made under; None where there are none."""
    if lake.version(*layer_and_folder("warning_flag"), as_of) is None:
        return None
    if (note := lake.read_note(*MADE, as_of)) is not None:
        return _from(note)
    lamps = lake.relation(*layer_and_folder("warning_flag"), as_of)
    version = engine.scalar(f"select max(rule_version) from {lamps}")
    return None if version is None else Under(str(version))


def made_moment(lake: GraphLake, engine: SqlEngine, as_of: date) -> Moment:
    """The day as its tables in the lake were made; raises as `moment_under`."""
    under = under_in_lake(lake, engine, as_of)
    return day_moment(as_of) if under is None else moment_under(as_of, under)


def note_of(moment: Moment) -> dict[str, Any]:
    """What the lake notes of a day that was made."""
    return asdict(under_of(moment))
