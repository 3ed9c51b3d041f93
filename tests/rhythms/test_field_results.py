"""Field results come back (入户核查): off unless `YIHU_DRAFTS` names them; then from
the department to rates that the truth confirms.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa

from expectations.contract import contract_for, load_contracts
from pipelines.definitions import build_defs
from pipelines.environment import prepare
from resources.server import warehouse_server
from resources.settings import SettingsError, load_settings
from sandbox import drop
from sandbox.county import County
from sandbox.days import end_of
from sandbox.gateway import Gateway
from tests.whole.days import at_home, ledger, offices, run_valid

FIRST, LAST = date(2026, 10, 2), date(2026, 11, 16)
"""A day early in the quarter, whose lamps the visits are judged by, and the Monday of a file."""
QUARTER = "2026-10-01"
HOUSEHOLDS = 1000


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return County(tmp_path_factory.mktemp("visited"), HOUSEHOLDS, 11).make()


def visits(county: County, day: date) -> list[tuple[str, date, str]]:
    """Household, day and result of the sound visits of the quarter that a department holds at the
    end of `day`.
    """
    rows = county.rows("field_results", end_of(datetime(day.year, day.month, day.day))).to_pylist()
    return [
        (row["household_id"], row["visited_on"], row["result"])
        for row in rows
        if row["_op"] == "U" and not row["_broken"] and str(row["visited_on"]) >= QUARTER
    ]


def test_nobody_is_asked_for_them_unless_they_are_agreed_on(
    county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YIHU_DRAFTS", raising=False)
    assert len(load_contracts()) == 18
    assert "monitoring.field_results" not in Gateway(county, "sid", b"key").known
    assert "field_results" not in {contract.records for contract in drop.by_file(everything=True)}
    monkeypatch.setenv("YIHU_DRAFTS", "field_results")
    assert len(load_contracts()) == 19
    monkeypatch.setenv("YIHU_DRAFTS", "all")
    drafts = {contract.records for contract in load_contracts(status="draft")}
    assert {"field_results", "issues", "verdicts"} <= drafts
    assert len(load_contracts()) == 18 + len(drafts)
    load_settings({"YIHU_HOME": str(tmp_path), "YIHU_DRAFTS": "all"})
    monkeypatch.setenv("YIHU_DRAFTS", "field_results")
    assert "monitoring.field_results" in Gateway(county, "sid", b"key").known
    assert "field_results" in {contract.records for contract in drop.by_file(everything=False)}
    names = {key.to_user_string() for key in build_defs().resolve_all_asset_keys()}
    assert "matched_monitoring__field_results" in names
    with pytest.raises(
        SettingsError,
        match=r"YIHU_DRAFTS names pigeons: the contracts that are drafts are .*field_results",
    ):
        load_settings({"YIHU_HOME": str(tmp_path), "YIHU_DRAFTS": "pigeons"})


def test_a_visit_finds_a_risk_exactly_where_one_is(county: County) -> None:
    found = {result for _, _, result in visits(county, LAST)}
    assert found == {"confirmed", "not_confirmed", "unflagged_risk"}
    by_household: dict[str, set[bool]] = {}
    for household, _, result in visits(county, LAST):
        by_household.setdefault(household, set()).add(result != "not_confirmed")
    assert all(len(risks) == 1 for risks in by_household.values())


@pytest.mark.slow
@pytest.mark.parametrize("form", ["api", "file"])
def test_they_come_over_http_and_by_file(
    county: County, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIHU_DRAFTS", "field_results")
    contract = contract_for("field_results")
    with offices(county, tmp_path / "offices") as departments:
        drop.drop(county, departments.drop, LAST)
        settings = {**departments.settings, "YIHU_DRAFTS": "field_results", "YIHU_FORM": form}
        assert run_valid(tmp_path / "home", settings, LAST, [contract]).success
    note = ledger(tmp_path / "home", contract, LAST)
    rows = county.rows(
        "field_results", end_of(datetime(LAST.year, LAST.month, LAST.day))
    ).to_pylist()
    assert note["in_force"] == sum(row["_op"] == "U" and not row["_broken"] for row in rows) > 400
    assert note["today"]["quarantined"] == sum(
        row["_op"] == "U" and row["_broken"] > 0 for row in rows
    )


@dataclass(frozen=True)
class Judged:
    """A home that ran two days and then the quarter's `flag_accuracy`."""

    home: Path
    rows: list[dict[str, Any]]
    records: int
    metadata: dict[str, Any]


@pytest.fixture(scope="module")
def judged(county: County) -> Iterator[Judged]:
    """The first day over HTTP, the second with the department's file."""
    place = tempfile.TemporaryDirectory(prefix="yihu-visits-")
    home = Path(place.name) / "home"
    with place, offices(county, Path(place.name) / "offices") as departments:
        named = {**departments.settings, "YIHU_DRAFTS": "field_results"}
        for day, form in ((FIRST, "api"), (LAST, "mixed")):
            departments.bring_to(day)
            with at_home(home, **named, YIHU_FORM=form):
                if form == "mixed":
                    drop.drop(county, departments.drop, day)
                prepare(load_settings())
                defs = build_defs()
                with warehouse_server(home) as server, dg.DagsterInstance.get() as instance:
                    daily = defs.resolve_job_def("daily_sync").execute_in_process(
                        partition_key=day.isoformat(), instance=instance
                    )
                    assert daily.success
                    if day == FIRST:
                        continue
                    job = defs.resolve_job_def("flag_accuracy_job")
                    result = job.execute_in_process(partition_key=QUARTER, instance=instance)
                    (made,) = result.asset_materializations_for_node("flag_accuracy")
                    engine = server.engine("yihu_reader")
                    with engine.connect() as connection:
                        rows = [
                            dict(row)
                            for row in connection.execute(
                                sa.text("select * from yihu.flag_accuracy")
                            ).mappings()
                        ]
                        records = connection.execute(
                            sa.text("select count(*) from yihu.source_status")
                        ).scalar_one()
                    engine.dispose()
        yield Judged(
            home, rows, records, {name: value.value for name, value in made.metadata.items()}
        )


@pytest.mark.long
def test_rates_and_the_curve_are_those_of_the_truth(judged: Judged, county: County) -> None:
    lamps: dict[str, dict[str, tuple[str, Decimal]]] = {}
    for day in (FIRST, LAST):
        files = f"{judged.home}/lake/flags/warning_flag/as_of={day}/*/*.parquet"
        found = duckdb.sql(f"select household_id, level, score from '{files}'").fetchall()
        lamps[str(day)] = {household: (level, score) for household, level, score in found}
    seen = [
        (
            lamps[str(LAST) if str(on) >= str(LAST) else str(FIRST)].get(
                household, ("none", Decimal(0))
            ),
            result != "not_confirmed",
        )
        for household, on, result in visits(county, LAST)
        if str(on) >= str(FIRST)
    ]
    seen = [(lamp, is_risk) for lamp, is_risk in seen if lamp[0] != "none"]
    whole = {
        (row["dimension"], row["value"]): row
        for row in judged.rows
        if row["area_level"] == "county"
    }

    def expected(above: int | None) -> tuple[int, int, int, int]:
        flagged = [
            (lamp[0] == "red" if above is None else lamp[1] > above, is_risk)
            for lamp, is_risk in seen
        ]
        return (
            len(flagged),
            sum(is_red for is_red, _ in flagged),
            sum(is_red and not is_risk for is_red, is_risk in flagged),
            sum(is_risk and not is_red for is_red, is_risk in flagged),
        )

    for key, above in (
        (("all", "all"), None),
        (("threshold", "25"), 25),
        (("threshold", "30"), 30),
        (("threshold", "35"), 35),
    ):
        row = whole[key]
        assert (row["visited"], row["flagged"], row["false_alarms"], row["missed"]) == expected(
            above
        ), key
    assert (
        whole[("all", "all")]["missed"] + whole[("all", "all")]["confirmed"]
        == sum(is_risk for _, is_risk in seen)
        > 0
    )
    assert {dimension for dimension, _ in whole} == {"all", "rule", "household_type", "threshold"}
    assert judged.records == 19


@pytest.mark.long
def test_the_curve_is_a_picture_in_the_asset_s_metadata(judged: Judged) -> None:
    assert judged.metadata["picture"].startswith("![")
    assert "| above 25 |" in judged.metadata["figures"]
