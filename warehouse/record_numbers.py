"""Departments' own numbers behind the pseudonyms that stand in their place: for the vault only.

Belongs here: the table `record_number`. Not here: which numbers are published as pseudonyms (the
contracts), who may ask (`schema/looking.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence

from expectations.contract import Contract
from expectations.engine import SqlEngine
from warehouse import identity
from warehouse.matching import record_id

NOTHING = """
select cast(null as varchar) as department, cast(null as varchar) as records,
  cast(null as varchar) as record_id, cast(null as varchar) as record_key,
  cast(null as varchar) as household_id
where false
"""


def build_record_numbers(
    engine: SqlEngine, contracts: Sequence[Contract], pseudonym_key: bytes
) -> str:
    """Makes the engine table `record_number` of the day; returns its name.
    Needs `valid_…` and `matched_…` of each contract.
    """
    engine.table("pseudonym_pad", identity.pad_select(pseudonym_key))
    parts = [NOTHING, *(_of(contract) for contract in contracts if contract.is_pseudonymous)]
    engine.table("record_number", " union all ".join(parts))
    return "record_number"


def _of(contract: Contract) -> str:
    home = "cast(null as varchar)" if contract.subject == "area" else "m.household_id"
    # the pseudonym is a column before it is joined: a join on it would hash every pair of rows
    return f"""
select '{contract.department}' as department, '{contract.records}' as records,
  m.record_id as record_id, n.record_key as record_key, {home} as household_id
from (
  select {record_id(contract)} as record_id,
    cast(v.{contract.record_key.name} as varchar) as record_key
  from valid_{contract.table} as v
  offset 0
) as n inner join matched_{contract.table} as m on m.record_id = n.record_id
"""
