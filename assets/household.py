"""The household's tables: who is who (`person`), how fresh and well linked each source is,
and the indicators.

Belongs here: the assets, and what must hold of them. Not here: what is made of what, and how (the
heads of the models).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from assets.charts.of_the_day import match_rates, sources_and_quarantine
from assets.matched import REGISTER
from assets.tables import Table, counted, tables_asset
from expectations.contract import BASE_REGISTER, Contract
from resources.runtime.context import RunContext
from warehouse import linkage
from warehouse.graph.registry import layer_and_folder

PERSON = (
    Table(
        "person",
        "The spine: everybody in the base register once, by a pseudonym, and how the ID number was"
        " established.",
        checks=(
            (
                "everybody_once",
                "As many persons as member rows in force.",
                counted(
                    "person",
                    "everybody_once",
                    "select abs((select count(*) from person) - (select count(*) from"
                    f" {REGISTER}))",
                ),
            ),
            (
                "one_key_one_member",
                "No person_key stands for two members whose numbers are established.",
                counted(
                    "person",
                    "one_key_one_member",
                    "select count(*) from (select person_key from person where id_state ="
                    " 'established' and status = '1' group by 1 having count(distinct member_id)"
                    " > 1)",
                ),
            ),
        ),
    ),
    Table(
        "person_key_map",
        "Which member has which person_key, from day to day: a key stays when a number appears or"
        " changes.",
    ),
)


def match_rate(house: RunContext, as_of: date) -> dg.AssetCheckResult:
    """Fails where a record type is linked less than in its last runs:
    a line per record type, with both rates.
    """
    use_history(house, as_of)
    falls = linkage.match_rate_falls(house.engine)
    said = {
        f"{f.department}.{f.records}": f"match rate {f.match_rate:.2%}, it was {f.usual_rate:.2%}"
        for f in falls
    }
    return dg.AssetCheckResult(
        check_name="match_rate",
        asset_key="linkage_quality",
        passed=not falls,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=said,
    )


def use_history(house: RunContext, as_of: date) -> None:
    """`linkage_quality_history`: the rates of the last days before `as_of`, with their days;
    empty before the second day.
    """
    layer, name = layer_and_folder("linkage_quality")
    known = house.runner.inputs.days("linkage_quality")
    days = [day for day in known if day < as_of][-linkage.LAST_RUNS :]
    columns = "department, records, in_force, match_rate"
    selects = [
        f"select {columns}, date '{day}' as as_of from {house.lake.relation(layer, name, day)}"
        for day in days
    ]
    nothing = f"select {columns}, as_of from linkage_quality where false"
    house.engine.view("linkage_quality_history", " union all ".join(selects) or nothing)


LINKS = (
    Table(
        "linkage_quality",
        "Match rate, outcomes, methods and the false-link rate estimated from names, per record"
        " type.",
        checks=(
            (
                "match_rate",
                (
                    "No record type is linked over five points less than in its last runs (their"
                    " median)."
                ),
                match_rate,
            ),
        ),
        shown=match_rates,
    ),
    Table(
        "review_queue",
        "What a steward must decide: ambiguous records and conflicts of the register, by keys,"
        " without identities.",
    ),
)

STATUS = Table(
    "source_status",
    "Every source: newest accepted batch, age, state, the counts of the day's batch and of its"
    " links.",
    shown=sources_and_quarantine,
)

HOUSEHOLDS = (
    Table(
        "household",
        "One row per household: what an officer sees first.",
        checks=(
            (
                "no_household_lost",
                "Every household of the register is here.",
                counted(
                    "household",
                    "no_household_lost",
                    "select count(*) from matched_rural_revitalisation__households as h "
                    "left join household as k using (household_id) where k.household_id is null",
                ),
            ),
        ),
    ),
    Table(
        "household_member",
        "One row per member, masked.",
    ),
    Table(
        "household_indicator",
        "The indicators of each household: basic, risk and resilience, and which are missing, stale"
        " or not applicable.",
    ),
)


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The assets between the departments' layers and the lamps."""
    return [
        # drawn with the register that it is made of, so that the groups read from left to right
        tables_asset("person", BASE_REGISTER, PERSON, contracts, "household"),
        tables_asset("links", "household", LINKS, contracts),
        tables_asset("source_status", "household", [STATUS], contracts),
        tables_asset("households", "household", HOUSEHOLDS, contracts),
    ]
