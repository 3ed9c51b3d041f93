"""Who changed level since the last release day, and which reasons came and went."""

from __future__ import annotations

from datetime import timedelta

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, later, rows
from tests.making import forget, standing

NEXT = AS_OF + timedelta(days=1)
CHANGE = "household_id, from_level, to_level, from_score, to_score, added, removed"


def test_on_a_first_day_nobody_changed(engine: Engine) -> None:
    county = Village()
    county.home("thirsty", water_safe=False)
    follow(engine, county)
    assert rows(engine, "flag_change") == []
    assert rows(engine, "area_ledger", "newly_red, no_longer_red", "area_level = 'county'") == [
        (0, 0)
    ]


def test_levels_scores_and_reasons_that_came_and_went(engine: Engine) -> None:
    county = Village()
    for name in ("dries", "heals", "stays"):
        county.home(name, water_safe=name == "dries")
    follow(engine, county)
    later(engine, AS_OF)
    county.change("dries", water_safe=False)
    county.change("heals", water_safe=True)
    follow(engine, county, NEXT)
    changes = {row[0]: row[1:] for row in rows(engine, "flag_change", CHANGE)}
    assert set(changes) == {"dries", "heals"}
    assert changes["dries"][:2] == ("green", "red")
    assert changes["heals"][:2] == ("red", "green")
    assert changes["dries"][4:] == (["R17"], [])
    assert changes["heals"][4:] == ([], ["R17"])
    assert changes["dries"][3] == changes["heals"][2] == 31
    assert rows(engine, "area_ledger", "newly_red, no_longer_red") == [(1, 1)] * 3


def test_who_comes_and_who_goes(engine: Engine) -> None:
    county = Village()
    county.home("goes", water_safe=False)
    county.home("stays")
    follow(engine, county)
    later(engine, AS_OF)
    county.leave("goes")
    county.home("comes", water_safe=False, area="610921100202")
    follow(engine, county, NEXT)
    changes = {row[0]: row[1:] for row in rows(engine, "flag_change", f"{CHANGE}, area_code")}
    assert changes["comes"][:3] == ("none", "red", None)
    assert changes["goes"][:2] == ("red", "none")
    assert changes["goes"][3] is None
    assert changes["goes"][6] == "610921100201"
    ledger = {
        code: new
        for code, *new in rows(engine, "area_ledger", "area_code, newly_red, no_longer_red")
    }
    assert ledger["610921"] == [1, 1]
    assert ledger["610921100201"] == [0, 1]
    assert ledger["610921100202"] == [1, 0]


def test_a_shell_that_comes_and_stays_is_no_change(engine: Engine) -> None:
    county = Village()
    county.home("stays")
    forget(engine)
    follow(engine, county)
    later(engine, AS_OF)
    county.member("shell", "shell-1")
    follow(engine, county, NEXT)
    assert rows(engine, "flag_change") == []


def test_after_a_release_that_was_held_back_changes_are_counted_from_the_last_one(
    engine: Engine,
) -> None:
    county = Village()
    county.home("falls")
    county.home("stays")
    follow(engine, county)
    later(engine, AS_OF)
    county.change("falls", water_safe=False)
    follow(engine, county, NEXT)
    later(engine, NEXT)
    standing(engine).held = {NEXT}
    # the day before was held back: its lamps are known, and nobody has seen them
    follow(engine, county, NEXT + timedelta(days=1))
    assert rows(engine, "flag_change", "household_id, from_level, to_level, added") == [
        ("falls", "green", "red", ["R17"])
    ]
    assert rows(engine, "area_ledger", "newly_red, no_longer_red") == [(1, 0)] * 3
