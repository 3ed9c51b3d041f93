"""Record keys in one spelling: those that a source names for a reconciliation,
and those of a state kept before keys were folded.

Belongs here: folding keys outside a batch's rows, and which published record id goes with a folded
key (`_first_key`). Not here: how a key is folded (`expectations.folding`,
`expectations.typed_rows`), the merge itself (`asof`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.contract_file import KEY
from expectations.engine import name, parquet
from expectations.folding import folded_key, kind_of
from expectations.idnumber import somebodys
from expectations.typed_rows import composite, key_select
from warehouse.merge_state import MergeState

PLAIN = "^[0-9A-Z_-]*$"
"""A key that is its own one spelling."""


def source_keys(day: MergeState, folder: Path, manifest: dict[str, Any]) -> str | None:
    """A SELECT of the keys that the source holds, where the batch brought them for a
    reconciliation; as landing keeps them.
    """
    if not manifest.get("keys_file"):
        return None
    file = parquet(folder / str(manifest["keys_file"]))
    reader = day.engine.reader
    columns = [column for column, _ in reader.columns(f"select * from {file}")]
    single = day.contract.record_key.derived is None
    relation = day.relation(f"source_keys_{day.steps}")
    if manifest.get("form", "api") == "api" and single:
        select = (
            f"select {name(columns[0])}::varchar as record_key from {file} where {name(columns[0])}"
            " is not null"
        )
    else:
        select = key_select(
            day.contract,
            f"select * from {file}",
            [columns[0]] if single else columns,
            str(manifest.get("form")),
        )
    if reader is day.engine:
        day.engine.table(relation, select)
    else:
        day.engine.from_arrow(relation, reader.arrow(select).read_all())
    return f"select record_key from {relation}"


def settle_keys(day: MergeState, form: str) -> None:
    """Brings the keys of the state before into the spelling in which a batch
    of that form has them, once.

    A record keeps the id under which it was published: `_first_key` is the key that it came of. Of
    several records whose keys fall together the last updated stays; a key that looks like
    somebody's number leaves. Both count as withdrawn.
    """
    if day.contract.record_key.derived is not None:
        day.keys_folded = True
    wants_folding = form != "api" and not day.keys_folded
    if not wants_folding and day.keys_checked:
        return
    day.keys_folded, day.keys_checked = day.keys_folded or wants_folding, True
    spelt = _map(day, wants_folding)
    if spelt is None:
        return
    before = int(day.engine.scalar(f"select count(*) from {day.valid}"))
    day.valid = _respelt(day, day.valid, spelt, "valid")
    day.withdrawn = _respelt(
        day,
        day.withdrawn,
        spelt,
        "withdrawn",
        f"and s.new_key not in (select {name(day.key)} from {day.valid})",
    )
    day.quarantine = _respelt_quarantine(day, spelt)
    day.withdrawn_keys += before - int(day.engine.scalar(f"select count(*) from {day.valid}"))
    day.is_changed = True
    day.engine.view(f"valid_{day.contract.table}", f"select * from {day.valid}")


def _map(day: MergeState, folds: bool) -> str | None:
    """The relation (old_key, new_key) of the keys that change; a null new key leaves.
    None where no key changes.
    """
    engine, key = day.engine, name(day.key)
    held = (
        f"select {key} as old_key from {day.valid} union select {key} from {day.withdrawn} union"
        f" select record_key from {day.quarantine}"
    )
    odd = (
        f"select old_key from ({held}) as held where old_key is not null and"
        f" {_is_odd(day.contract)}"
    )
    if not engine.scalar(f"select count(*) from ({odd}) as odd"):
        return None
    reader, asked = engine.reader, f"odd_keys_{day.contract.table}"
    reader.from_arrow(asked, engine.arrow(odd).read_all())
    new_key = folded_key("old_key", kind_of(day.contract.record_key)) if folds else "old_key"
    if not day.contract.is_pseudonymous:
        new_key = f"case when not ({somebodys('old_key')}) then {new_key} end"
    spelt = day.relation("key_map")
    select = (
        f"select old_key, new_key from (select old_key, {new_key} as new_key from {asked}) where"
        " new_key is distinct from old_key"
    )
    found = reader.arrow(select).read_all()
    reader.drop(asked)
    if not found.num_rows:
        return None
    engine.from_arrow(spelt, found)
    return spelt


def _is_odd(contract: Contract) -> str:
    plain = f"regexp_matches(old_key, '{PLAIN}')"
    return f"not {plain}" if contract.is_pseudonymous else f"(not {plain} or length(old_key) >= 11)"


def _respelt(day: MergeState, relation: str, spelt: str, layer: str, condition: str = "") -> str:
    """The state with its keys in their new spelling,
    and under each the version that was updated last.
    """
    engine, key, updated = day.engine, day.key, name(day.contract.by_role("updated_at").name)
    columns = [column for column, _ in engine.columns(f"select * from {relation}")]
    others = ", ".join(
        f"v.{name(column)}" for column in columns if column not in (key, "_first_key")
    )
    target = day.relation(f"{layer}_spelt")
    engine.table(
        target,
        f"""
        with spelt as (
            select
                case when m.old_key is null then v.{name(key)} else m.new_key end as new_key,
                {others},
                coalesce(v._first_key, case when m.old_key is not null then v.{name(key)} end)
                    as _first_key
            from {relation} as v
            left join {spelt} as m on m.old_key = v.{name(key)}
        ),
        ranked as (
            select *,
                row_number() over (partition by new_key
                    order by {updated} desc, _first_key nulls first) as _place
            from spelt
        )
        select {
            ", ".join(
                f"s.new_key as {name(key)}" if column == key else f"s.{name(column)}"
                for column in columns
            )
        }
        from ranked as s
        where s._place = 1 and s.new_key is not null {condition}
        """,
    )
    return target


def _respelt_quarantine(day: MergeState, spelt: str) -> str:
    columns = [column for column, _ in day.engine.columns(f"select * from {day.quarantine}")]
    target = day.relation("quarantine_spelt")
    listed = ", ".join(
        (
            "case when m.old_key is null then q.record_key else m.new_key end as record_key"
            if c == "record_key"
            else f"q.{name(c)}"
        )
        for c in columns
    )
    day.engine.table(
        target,
        f"""
        with spelt as (select {listed} from {day.quarantine} as q
            left join {spelt} as m on m.old_key = q.record_key),
        ranked as (
            select *,
                row_number() over (partition by coalesce(record_key, raw)
                    order by updated_at desc nulls first, batch_id desc, _row desc) as _place
            from spelt
        )
        select {", ".join(f"r.{name(c)}" for c in columns)} from ranked as r where r._place = 1
        """,
    )
    return target


def rekeyed(
    day: MergeState,
    layer: str,
    stored: str,
    columns: Sequence[tuple[str, str]],
    there: Sequence[str],
) -> str:
    """A stored state under the key that its contract has now, where it was kept under another one.

    A composite key is made of its parts. Where one of them was not kept, or the key is a field that
    is new, the record has its old key: the next full delivery lacks it, and is held back for it. A
    record keeps the id under which it was published. Of several with one key the last updated
    stays, and one without a part leaves; both count as withdrawn.
    """
    contract, engine = day.contract, day.engine
    old = f"cast(s.{name(day.key_before or _key_among(there))} as varchar)"
    parts = [part.name for part in contract.key_fields]
    key = (
        composite([f"cast(s.{name(part)} as varchar)" for part in parts])
        if {*parts} <= {*there}
        else old
    )
    published = (
        old if contract.is_pseudonymous else f"case when not ({somebodys(old)}) then {old} end"
    )
    first = f"coalesce(s._first_key, {published})" if "_first_key" in there else published
    said = {day.key: key, "_first_key": first}
    values = [
        (
            said.get(column)
            or (f"try_cast(s.{name(column)} as {kind})" if column in there else f"null::{kind}"),
            column,
        )
        for column, kind in columns
    ]
    gone = (
        f"and {name(day.key)} not in (select {name(day.key)} from {day.valid})"
        if layer == "withdrawn"
        else ""
    )
    target, updated = day.relation(f"{layer}_rekeyed"), name(contract.by_role("updated_at").name)
    listed = ", ".join(name(column) for column, _ in columns)
    engine.table(
        target,
        f"""
        with keyed as (select {", ".join(f"{value} as {name(column)}" for value, column in values)}
            from {stored} as s),
        ranked as (
            select *,
                row_number() over (partition by {name(day.key)}
                    order by {updated} desc, _first_key nulls first) as _place
            from keyed
        )
        select {listed} from ranked where _place = 1 and {name(day.key)} is not null {gone}
        """,
    )
    if layer == "valid":
        lost = f"(select count(*) from {stored}) - (select count(*) from {target})"
        day.withdrawn_keys += int(engine.scalar(f"select {lost}"))
    day.is_changed, day.keys_checked = True, False
    return target


def _key_among(there: Sequence[str]) -> str:
    """The key's column in a state whose ledger does not name it:
    a composite one has its own name, others come first.
    """
    return KEY if KEY in there else there[0]


def first_key(contract: Contract, row: str) -> str:
    """The key of which a record's published id is made: the one that it first had."""
    return f"coalesce({row}._first_key, {row}.{contract.record_key.name})"
