"""Records that the runner is handed are matched in the place of the day's own: what a trial of a
delivery stands on.
"""

from __future__ import annotations

from pathlib import Path

from expectations.contract import contract_for
from tests.making import standing
from tests.matching.county import KEY, County, Member, Record, number
from warehouse.graph.moment import day_moment
from warehouse.graph.runner import Runner


def test_given_records_stand_in_the_place_of_the_days(tmp_path: Path) -> None:
    county = County(
        tmp_path,
        [Member("M1", "王芳", number(sequence=1)), Member("M2", "李明", number(sequence=2))],
    )
    aid = contract_for("temporary_aid")
    county.match([Record(number(sequence=1), "王芳", "R1")])
    county.deliver(aid, [{"aid_id": "R7", "id_number": number(sequence=2), "name": "李明"}])
    valid, matched = f"valid_{aid.table}", f"matched_{aid.table}"
    county.engine.table("tried", f'select * from "{valid}"')
    county.deliver(aid, [{"aid_id": "R1", "id_number": number(sequence=1), "name": "王芳"}])
    contracts = (contract_for("members"), contract_for("households"), aid)
    runner = Runner(county.engine, standing(county.engine, county.as_of), contracts, KEY)
    runner.make([matched], day_moment(county.as_of), given={valid: "tried"})
    assert county.engine.rows(f'select record_id, member_id from "{matched}"') == [("R7", "M2")]
