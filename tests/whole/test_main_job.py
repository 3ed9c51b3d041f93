"""The main job, seen from outside: what `make sync` prints, what a reader's SQL answers, what is
left on disk.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from expectations.contract import load_contracts
from resources.lake import Lake
from resources.server import Server
from tests.whole.conftest import FIRST, SECOND, Synced, ask

pytestmark = pytest.mark.slow


def test_the_summary_names_the_release_the_sources_and_how_to_query(synced: Synced) -> None:
    for name, day in (("first", FIRST), ("second", SECOND)):
        printed = synced.outputs[name]
        assert f"as of {day}" in printed
        assert "make -s psql ROLE=yihu_reader" in printed
        for contract in load_contracts():
            assert contract.records in printed


def test_the_same_day_twice_is_one_release_with_one_checksum(
    synced: Synced, server: Server
) -> None:
    releases = ask(server, "select as_of, checksum, is_current from yihu.release order by as_of")
    assert [(r.as_of, r.is_current) for r in releases] == [(FIRST, False), (SECOND, True)]
    assert releases[0].checksum != releases[1].checksum


def test_the_second_day_reads_few_rows(synced: Synced) -> None:
    lake = Lake(synced.home / "lake")

    def received(day: date) -> int:
        total = 0
        for contract in load_contracts():
            if contract.delivery == "incremental":
                ledger = lake.read_note("ledger", contract.table, day)
                total += ((ledger or {}).get("today") or {}).get("received", 0)
        return total

    assert received(SECOND) < 0.03 * received(FIRST)


@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_nothing_is_lost(synced: Synced, day: date) -> None:
    lake = Lake(synced.home / "lake")
    for contract in load_contracts():
        ledger = lake.read_note("ledger", contract.table, day)
        assert ledger is not None, contract.table
        assert (
            ledger["in_force"]
            == ledger["in_force_before"] + ledger["new_keys"] - ledger["withdrawn_keys"]
        ), contract.table
        today = ledger["today"]
        if today is not None:
            parts = ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")
            assert today["received"] == sum(today[p] for p in parts), json.dumps(today)


def test_every_record_has_exactly_one_outcome(server: Server) -> None:
    rows = ask(
        server,
        "select records, in_force, linked + unregistered + ambiguous + unidentifiable as outcomes"
        " from yihu.source_status",
    )
    assert len(rows) == len(load_contracts())
    assert [(r.records, r.in_force) for r in rows] == [(r.records, r.outcomes) for r in rows]


def test_few_households_are_red(server: Server) -> None:
    levels = {
        r.level: r.n
        for r in ask(server, "select level, count(*) as n from yihu.warning_flag group by 1")
    }
    share = levels["red"] / sum(levels.values())
    assert 0.003 < share < 0.05


def test_the_reasons_of_every_lamp_sum_to_its_score(server: Server) -> None:
    off = ask(
        server,
        """
        select count(*) from yihu.warning_flag as f
        left join (select household_id, sum(points) as points from yihu.warning_reason group by 1)
            as r using (household_id)
        where coalesce(r.points, 0) <> f.score
        """,
    )
    assert off[0][0] == 0


def test_every_answer_carries_the_release(server: Server) -> None:
    for view in (
        "household",
        "household_member",
        "household_indicator",
        "warning_flag",
        "warning_reason",
        "source_status",
    ):
        assert [tuple(r) for r in ask(server, f"select distinct as_of from yihu.{view}")] == [
            (SECOND,)
        ]


def test_masked_names_and_no_more(server: Server) -> None:
    shapes = ask(
        server, "select count(*) from yihu.household_member where name_masked !~ '^.\\*+$'"
    )
    assert shapes[0][0] == 0


def test_scores_are_as_computed_by_hand(server: Server) -> None:
    from sandbox.golden import GOLDEN

    expected = {
        "xu": (Decimal(89), "red"),
        "jiang": (Decimal(50), "red"),
        "at_0.9_of_the_line": (Decimal(13), "green"),
        "well_off": (Decimal(12), "green"),
    }
    for name, (score, level) in expected.items():
        row = ask(
            server,
            "select score, level from yihu.warning_flag where household_id = :h",
            h=GOLDEN[name],
        )[0]
        assert (row.score, row.level) == (score, level), name
