"""Extracts: facts of single households for an analyst, who learns no household's number and of no
group under the threshold.

Belongs here: which columns may be in one, in which classes, and the SQL of `yihu.extract(name)`.
Not here: making one (`warehouse.database.extract`), counts (`leaving`).

A household is a pseudonym made with the extract's own key, which is kept beside it in the vault:
the county can find the family that an analyst asks about, and two extracts cannot be laid side by
side. Amounts are given in classes; households whose facts, all taken together, fewer than five have
are left out, and others where a difference would tell those (`small_groups`).
"""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.schema.declared import HOUSEHOLD, HOUSEHOLD_INDICATOR, WARNING_FLAG, Column
from warehouse.schema.leaving import THRESHOLD
from warehouse.schema.reading import SCHEMA

OF_HOUSEHOLD = ("household_type", "monitor_class", "relocated", "member_count", "town_code")
OF_FLAG = ("level", "is_hard", "is_held")
CLASSES = {2: 1000, 4: 0.1}
"""By scale: amounts in yuan come down to whole thousands, ratios to tenths."""
MOST_COLUMNS = 40
FACTS = f"{SCHEMA}.facts"
COUNTED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("town_code",): ("households",),
    ("level", "town_code"): ("lamps",),
    ("is_held", "town_code"): ("area_ledger.held",),
    ("monitor_class", "town_code"): ("monitored_households", "cleared_households"),
    ("household_type", "level", "town_code"): ("flag_accuracy.red_households",),
}
"""Columns by which the one exit counts towns, and without the town the county: the families that
decide which it hides.
"""


def counted_by(columns: Iterable[str]) -> list[tuple[str, ...]]:
    """The ways to count by these columns that ledgers, rates and rhythms have too."""
    ways = {way for by in COUNTED for way in (by, tuple(c for c in by if c != "town_code"))}
    return sorted(way for way in ways if set(way) <= set(columns))


def extractable() -> dict[str, str]:
    """What may be in an extract: column → SQL over `h`, `i` and `f`."""
    made = {
        column.name: f'h."{column.name}"'
        for column in HOUSEHOLD.stored
        if column.name in OF_HOUSEHOLD
    }
    made |= {
        column.name: f'f."{column.name}"'
        for column in WARNING_FLAG.stored
        if column.name in OF_FLAG
    }
    taken = {
        "household_id",
        "coverage",
        "missing",
        "stale",
        "not_applicable",
        "area_code",
        "town_code",
    }
    return made | {
        column.name: _in_classes(column)
        for column in HOUSEHOLD_INDICATOR.stored
        if column.name not in taken
    }


def _in_classes(column: Column) -> str:
    name = f'i."{column.name}"'
    if not column.type.startswith("numeric"):
        return name
    width = CLASSES[int(column.type.rpartition(",")[2].rstrip(")"))]
    return f"floor({name} / {width}) * {width}"


def statements() -> list[str]:
    """The functions: an extract's facts, its rows as analysts read them, and which there are."""
    known = ", ".join(f"('{name}', '{sql}')" for name, sql in extractable().items())
    read = " and ".join(
        f"{alias}.from_release <= $1 and {alias}.until_release > $1" for alias in ("h", "i", "f")
    )
    return [
        f"""
create or replace function {FACTS}(release_id integer, columns text[])
returns table (household_id text, town_code text, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp set client_min_messages = notice set jit = off as $$
declare
  picked text;
begin
  select string_agg(format('%L, %s', k.name, k.sql), ', ' order by k.name) into picked
  from (values {known}) as k (name, sql)
  where k.name = any(columns);
  return query execute format($sql$
    select h.household_id, h.town_code, jsonb_build_object(%s) as facts
    from store.household as h
    inner join store.household_indicator as i on i.household_id = h.household_id
    inner join store.warning_flag as f on f.household_id = h.household_id
    where {read}
  $sql$, picked) using release_id;
end $$""",
        f"""
create or replace function yihu.extract(wanted text) returns table (pseudonym text, facts jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice set jit = off as $$
declare
  chosen vault.extract;
begin
  select x.* into chosen
  from vault.extract as x
  inner join ops.release as r on r.release_id = x.release_id and r.pruned_at is null
    and r.withdrawn_at is null
  where x.name = wanted;
  if not found then
    raise exception 'there is no extract of this name that can be read'
      using hint = 'select * from yihu.extracts()';
  end if;
  return query
    with alike as (
      select t.household_id, t.facts, count(*) over (partition by t.facts) as households
      from {FACTS}(chosen.release_id, chosen.columns) as t
      where t.town_code <> all (chosen.hidden_towns)
    )
    select encode(sha256(chosen.pseudonym_key
        || sha256(chosen.pseudonym_key || convert_to(a.household_id, 'UTF8'))), 'hex'), a.facts
    from alike as a
    where a.households >= {THRESHOLD}
      and not exists (select from jsonb_array_elements(chosen.also_hidden) as x (facts)
        where x.facts = a.facts)
    order by 1;
end $$""",
        (
            "comment on function yihu.extract(text) is 'Households under the pseudonyms of this"
            f" extract, without groups under {THRESHOLD} of the same facts.'"
        ),
        """
create or replace function yihu.extracts()
returns table (name text, as_of date, columns text[], reason text, made_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select x.name, r.as_of, x.columns, x.reason, x.made_at
  from vault.extract as x
  inner join ops.release as r on r.release_id = x.release_id and r.pruned_at is null
    and r.withdrawn_at is null
  order by x.made_at
$$""",
        "comment on function yihu.extracts() is 'The extracts that can be read.'",
    ]
