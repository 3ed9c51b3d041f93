"""Issues and verdicts of the sandbox: sound rows under their contracts, and what is true."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from sandbox.county import County
from sandbox.days import end_of
from sandbox.rates import ErrorRates

DAY = date(2026, 11, 19)
END = end_of(datetime(DAY.year, DAY.month, DAY.day))
STEPS = ("found_on", "due_on", "notified_on", "talked_on", "accounted_on")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    home = tmp_path_factory.mktemp("supervised")
    return County(home, 1500, 3, ErrorRates().none()).make()


def test_an_issue_goes_up_the_steps_in_their_order(county: County) -> None:
    rows = [row for row in county.rows("issues", END).to_pylist() if row["_op"] == "U"]
    assert len(rows) > 20
    assert {bool(row["household_id"]) for row in rows} == {True, False}
    for row in rows:
        dates = [row[step] for step in STEPS if row[step] is not None]
        assert dates == sorted(dates)
        assert row["proved_on"] is None or row["mended_on"] <= row["proved_on"] <= DAY
        assert (row["mended_by"] is None) == (row["mended_on"] is None)
    assert any(row["accounted_on"] for row in rows)
    assert any(row["mended_on"] is None and row["due_on"] < DAY for row in rows)


def test_an_issue_is_of_its_area_and_names_the_household_that_the_truth_has(county: County) -> None:
    truth = {row["record_key"]: row for row in county.truth("issues", END).to_pylist()}
    homes = {
        row["户编号"]: row["行政区划代码"] for row in county.rows("households", END).to_pylist()
    }
    for row in county.rows("issues", END).to_pylist():
        said = truth[row["issue_id"]]
        assert said["expects"] in ("placed", "withdrawn")
        assert said["true_household_id"] == row["household_id"]
        if row["household_id"] in homes:
            assert homes[row["household_id"]] == row["area_code"]


def test_old_answers_are_there_from_the_first_day(county: County, tmp_path: Path) -> None:
    rows = county.rows("verdicts", END).to_pylist()
    assert {row["verdict"] for row in rows} == {"confirmed", "not_confirmed", "explained"}
    assert all(len(row["contradiction_id"]) == 16 for row in rows)
