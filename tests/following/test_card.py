"""The household's card: six lists, valid JSON whatever a department writes, nothing of an
identity.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, rows
from tests.indicators.four import four_households
from warehouse.follow_up import LISTS


def card(engine: Engine, household: str) -> dict[str, Any]:
    ((text,),) = rows(engine, "household_card", "card", f"household_id = '{household}'")
    return dict(json.loads(text))


def test_six_lists_of_xu(engine: Engine) -> None:
    follow(engine, four_households())
    xu = card(engine, "xu")
    assert tuple(xu) == LISTS
    assert {"item": "transfer", "yuan": 12156.0} in xu["income"]
    assert [e["item"] for e in xu["benefits"] if e["item"] == "dibao"] == ["dibao"]
    assert {e["item"] for e in xu["medical"]} == {
        "paid_in_12_months",
        "serious_illness",
        "hypertension",
    }
    assert len(xu["schooling"]) == 2
    assert [e["grade"] for e in xu["housing"] if e["item"] == "damage"] == ["2"]
    assert xu["water"] == [{"safe": True}]


def test_every_household_has_one_and_an_empty_one_has_empty_lists(engine: Engine) -> None:
    county = Village()
    county.member("shell", "shell-1", status="2")
    county.home("here", {"status": "2"}, wage_income=None, water_safe=None)
    follow(engine, county)
    assert card(engine, "shell") == {name: [] for name in LISTS}
    assert card(engine, "here")["water"] == []


def test_whatever_is_written_it_stays_json(engine: Engine) -> None:
    county = Village()
    county.home("odd")
    county.add("relief", "odd-1", season='2026 "冬\\春"\n\x01', listed_on=AS_OF)
    follow(engine, county)
    (relief,) = [e for e in card(engine, "odd")["benefits"] if e["item"] == "relief"]
    assert relief["season"] == '2026 "冬\\春"  '


def test_a_quiet_day_changes_no_card(engine: Engine) -> None:
    facts = four_households()
    follow(engine, facts)
    before = rows(engine, "household_card")
    follow(engine, facts, AS_OF + timedelta(days=1))
    assert rows(engine, "household_card") == before


def test_yuan_keep_their_cents(engine: Engine) -> None:
    county = Village()
    county.home("rich", wage_income=Decimal("99999999999999.99"))
    follow(engine, county)
    ((text,),) = rows(engine, "household_card", "card")
    assert '{"item":"wage","yuan":99999999999999.99}' in text
