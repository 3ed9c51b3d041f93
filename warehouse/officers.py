"""Who the officers are whom assignments name: for the vault only.

Belongs here: the table `officer`. Not here: how a staff number is published (`matching`), who may
ask (`schema/looking.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence

from expectations.contract import Contract
from expectations.engine import SqlEngine

ASSIGNMENTS = "assignments"
NOTHING = """
select cast(null as varchar) as officer_id, cast(null as varchar) as officer_name where false
"""
OFFICERS = """
with named as (
    select officer_id, officer_name, row_number() over (
        partition by officer_id order by started_on desc, record_id desc
    ) as place
    from matched_{table}
)
select officer_id, officer_name from named where place = 1
"""


def build_officers(engine: SqlEngine, contracts: Sequence[Contract]) -> str:
    """Makes the engine table `officer` of the day, by the newest assignment of each; returns its
    name. Needs `matched_…` of the assignments, where they are read.
    """
    read = [contract.table for contract in contracts if contract.records == ASSIGNMENTS]
    engine.table("officer", OFFICERS.format(table=read[0]) if read else NOTHING)
    return "officer"
