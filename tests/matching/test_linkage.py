"""The quality that is published, and its check."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from expectations.contract import contract_for
from tests.matching.county import AS_OF, County, Member, Record, number
from warehouse.linkage import match_rate_falls

NUMBERS = [number("19800101", i) for i in range(100, 140)]
COUNTY = [Member(f"m{i}", "张三", n) for i, n in enumerate(NUMBERS)]


def test_counts_and_rates(tmp_path: Path) -> None:
    county = County(tmp_path, COUNTY)
    good = [Record(n, "张三") for n in NUMBERS[:37]]
    county.match(
        [
            *good,
            Record(NUMBERS[38], None),
            Record(NUMBERS[39], "李四"),
            Record("999999198001010000", "王五"),
            Record(number("19990101"), "赵六"),
        ]
    )
    found = county.quality()
    assert (
        found["in_force"]
        == 41
        == sum(
            found[outcome] for outcome in ("linked", "unregistered", "ambiguous", "unidentifiable")
        )
    )
    assert (
        found["linked"],
        found["by_exact"],
        found["name_same"],
        found["name_absent"],
        found["name_different"],
    ) == (38, 38, 37, 1, 1)
    assert (found["match_rate"], found["false_link_rate"]) == (
        Decimal("0.926829"),
        Decimal("0.026316"),
    )
    assert (found["false_link_low"], found["false_link_high"]) == (
        Decimal("0.004661"),
        Decimal("0.134949"),
    ), "Wilson, 1 of 38, 95%"


def test_nothing_delivered_is_no_rate(tmp_path: Path) -> None:
    county = County(tmp_path, COUNTY)
    county.match([])
    found = county.quality()
    assert found["in_force"] == 0
    assert found["match_rate"] is None
    assert found["false_link_rate"] is None
    assert found["false_link_high"] is None


def test_register_types_have_no_names_to_compare(tmp_path: Path) -> None:
    county = County(tmp_path, COUNTY)
    county.build_matched(contract_for("members"))
    county.make_of([contract_for("members")], "linkage_quality")
    found = county.table("linkage_quality")[0]
    assert (found["match_rate"], found["by_household_id"], found["false_link_rate"]) == (
        Decimal("1.000000"),
        40,
        None,
    )


def history(county: County, *rates: str) -> None:
    rows = " union all ".join(
        f"select date '{date(2026, 11, 1 + i)}' as as_of, 'civil_affairs' as department,"
        f" 'temporary_aid' as records, {rate}::decimal(7,6) as match_rate"
        for i, rate in enumerate(rates)
    )
    county.engine.view("linkage_quality_history", rows)


def test_a_fall_of_more_than_five_points(tmp_path: Path) -> None:
    county = County(tmp_path, COUNTY)
    county.match([*(Record(n, "张三") for n in NUMBERS[:9]), Record(None, "张三")])
    county.quality()
    history(county, "0.95", "0.95")
    assert match_rate_falls(county.engine) == []
    history(county, "0.2", "0.2", "0.2", "0.97", "0.97", "0.97", "0.96", "0.97", "0.1")
    falls = match_rate_falls(county.engine)
    assert [(f.department, f.records, f.match_rate, f.usual_rate) for f in falls] == [
        ("civil_affairs", "temporary_aid", Decimal("0.9"), Decimal("0.97"))
    ]
    assert "0.9000, it was 0.9700" in str(falls[0])


def test_no_history_no_fall(tmp_path: Path) -> None:
    county = County(tmp_path, COUNTY)
    county.match([Record(None, "张三")])
    county.quality()
    county.engine.view(
        "linkage_quality_history", f"select * from linkage_quality where as_of < date '{AS_OF}'"
    )
    assert match_rate_falls(county.engine) == []
