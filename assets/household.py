"""The household's tables: who is who (`person`), how fresh and well linked each source is, and the 72 indicators.

Belongs here: what is made of what. Not here: how (`warehouse.matching`, `warehouse.indicators`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from assets.by_county import made_by_county
from assets.matched import REGISTER, use_spine, use_spine_inputs
from assets.shown import match_rates, sources_and_quarantine
from assets.tables import Table, counted, tables_asset
from expectations.contract import BASE_REGISTER, Contract
from resources.house import House, place
from resources.settings import ROOT
from warehouse import indicators, linkage, matching, review, sources
from warehouse.model import model_path
from warehouse.scoring_rules import load_rules

SOURCES_FILE = ROOT / "warehouse" / "sources.py"
COUNTY = "substr(area_code, 1, 6)"

PERSON = (
    Table(
        "person",
        "The spine: everybody in the base register once, by a pseudonym, and how the ID number was established.",
        matching.PERSON_ORDER,
        model_path("household/person"),
        checks=(
            (
                "everybody_once",
                "As many persons as member rows in force.",
                counted("person", "everybody_once", f"select abs((select count(*) from person) - (select count(*) from {REGISTER}))"),
            ),
            (
                "one_key_one_member",
                "No person_key stands for two members whose numbers are established.",
                counted(
                    "person",
                    "one_key_one_member",
                    "select count(*) from (select person_key from person where id_state = 'established' and status = '1' "
                    "group by 1 having count(distinct member_id) > 1)",
                ),
            ),
        ),
    ),
    Table(
        "person_key_map",
        "Which member has which person_key, from day to day: a key stays when a number appears or changes.",
        matching.PERSON_KEY_MAP_ORDER,
        model_path("household/person_key_map"),
    ),
)


def match_rate(house: House, as_of: date) -> dg.AssetCheckResult:
    """Fails where a record type is linked less than in its last runs: a line per record type, with both rates."""
    use_history(house, as_of)
    falls = linkage.match_rate_falls(house.engine)
    said = {f"{f.department}.{f.records}": f"match rate {f.match_rate:.2%}, it was {f.usual_rate:.2%}" for f in falls}
    return dg.AssetCheckResult(
        check_name="match_rate", asset_key="linkage_quality", passed=not falls, severity=dg.AssetCheckSeverity.WARN, metadata=said
    )


def use_history(house: House, as_of: date) -> None:
    """`linkage_quality_history`: the rates of the last days before `as_of`, with their days; empty before the second day."""
    layer, name = place("linkage_quality")
    days = [day for day in house.lake.days(layer, name) if day < as_of][-linkage.LAST_RUNS :]
    columns = "department, records, in_force, match_rate"
    selects = [f"select {columns}, date '{day}' as as_of from {house.lake.relation(layer, name, day)}" for day in days]
    nothing = f"select {columns}, as_of from linkage_quality where false"
    house.engine.view("linkage_quality_history", " union all ".join(selects) or nothing)


LINKS = (
    Table(
        "linkage_quality",
        "Match rate, outcomes, methods and the false-link rate estimated from names, per record type.",
        linkage.LINKAGE_QUALITY_ORDER,
        model_path("matching/linkage_quality"),
        checks=(("match_rate", "No record type is linked over five points less than in its last runs (their median).", match_rate),),
        shown=match_rates,
    ),
    Table(
        "review_queue",
        "What a steward must decide: ambiguous records and conflicts of the register, by keys, without identities.",
        review.REVIEW_QUEUE_ORDER,
        model_path("matching/review_queue"),
    ),
)

STATUS = Table(
    "source_status",
    "Every source: newest accepted batch, age, state, the counts of the day's batch and of its links.",
    sources.ORDER,
    SOURCES_FILE,
    shown=sources_and_quarantine,
)

HOUSEHOLDS = (
    Table(
        "household",
        "One row per household: what an officer sees first.",
        indicators.ORDER["household"],
        model_path("household/household"),
        county=COUNTY,
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
        indicators.ORDER["household_member"],
        model_path("household/household_member"),
        county=COUNTY,
    ),
    Table(
        "household_indicator",
        "72 indicators of each household: 24 basic, 30 risk, 18 resilience, and which are missing, stale or not applicable.",
        indicators.ORDER["household_indicator"],
        model_path("household/household_indicator"),
        county=COUNTY,
    ),
)


def _make_person(house: House, as_of: date) -> None:
    use_spine_inputs(house, as_of)
    matching.build_person(house.engine, as_of, house.settings.pseudonym_key)


def use_matched(house: House, contracts: Sequence[Contract], as_of: date) -> None:
    """Makes every record type's matched rows readable on the engine."""
    for contract in contracts:
        house.use(f"matched_{contract.table}", as_of)


def use_inputs(house: House, contracts: Sequence[Contract], as_of: date) -> None:
    """What the indicators and lamps read."""
    use_matched(house, contracts, as_of)
    house.use("person", as_of)
    house.use("source_status", as_of)
    house.engine.view("source_state", "select records, state from source_status")


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The assets between the departments' layers and the lamps."""
    matched = [f"matched_{contract.table}" for contract in contracts]

    def make_links(house: House, as_of: date) -> None:
        for contract in contracts:
            house.use(f"valid_{contract.table}", as_of)
        use_matched(house, contracts, as_of)
        use_spine(house, as_of)
        linkage.build_linkage_quality(house.engine, contracts, as_of)
        review.build_review_queue(house.engine, contracts, as_of)

    def make_status(house: House, as_of: date) -> None:
        house.use("linkage_quality", as_of)
        ledgers = [house.lake.read_note("ledger", contract.table, as_of) for contract in contracts]
        sources.build_source_status(house.engine, [ledger for ledger in ledgers if ledger is not None])

    def make_households(house: House, as_of: date) -> None:
        if made_by_county(house, contracts, as_of, "household"):
            return
        use_inputs(house, contracts, as_of)
        indicators.build_indicators(house.engine, as_of, load_rules(as_of))

    return [
        # drawn with the register that it is made of, so that the groups read from left to right
        tables_asset("person", BASE_REGISTER, [REGISTER, "valid_rural_revitalisation__households"], PERSON, _make_person, "household"),
        tables_asset("links", "household", matched, LINKS, make_links),
        tables_asset("source_status", "household", ["linkage_quality"], [STATUS], make_status),
        tables_asset("households", "household", ["source_status", "person", *matched], HOUSEHOLDS, make_households),
    ]
