"""The one exit: counts as they may leave the house, from every view of counts at once, with one
suppression.

Belongs here: the SQL of `yihu_in.hidden()` and of `yihu.public_<view>()`, made from the views'
declarations (`declared.Exit`). Not here: who may call them (`roles`).

A count under five is hidden, 0 too. So that none of them follows by subtraction, other areas of the
same parent are hidden with it, the last by their codes first, until there are two and what is
hidden comes to five in every count of the family; and all that lies in an area that is hidden. Were
the smallest hidden first, the smallest that is shown would tell of them. Counts that tell each
other are a family: one decision for all of them, whichever view shows them.
"""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.schema.declared import VIEWS, Column, View
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.reading import READ, SCHEMA

THRESHOLD = 5
"""No count under this leaves the house."""
TOTAL = "all"
HIDDEN = f"{SCHEMA}.hidden()"


def leaving_views() -> list[View]:
    """The views that are made of counts."""
    return [view for view in (*VIEWS, *PERIODIC) if view.exit is not None]


def counts_of(view: View) -> list[str]:
    """Every count of a view, by its declaration."""
    assert view.exit is not None
    integers = [column.name for column in view.stored if column.type in ("integer", "bigint")]
    return [name for name in integers if name not in view.key and name not in view.exit.not_counts]


def figures_of(view: View) -> list[str]:
    """What is no count and stands or falls with the counts of its row."""
    assert view.exit is not None
    numbers = [
        column.name
        for column in view.stored
        if column.type.startswith(("integer", "bigint", "numeric"))
    ]
    return [name for name in numbers if name not in view.key and name not in counts_of(view)]


def public_function(view: View) -> str:
    return f'yihu."public_{view.name}"()'


def _day(view: View) -> str:
    assert view.exit is not None
    return "yihu.current_as_of()" if view.exit.on == "as_of" else f't."{view.exit.on}"'


def _rows(view: View) -> str:
    """The view's rows as the session reads them, whole."""
    assert view.exit is not None
    if view.exit.on != "as_of":
        return f'store."{view.name}" as t'
    # a prefecture's row is for who sees all: less its other counties it would tell one
    read = f"t.from_release <= {READ} and t.until_release > {READ} and length(t.area_code) > 4"
    return f'(select t.* from store."{view.name}" as t where {read}) as t'


def _qualified(view: View, column: str) -> list[tuple[str, str]]:
    """The families that a column is of, each with the condition on its row; the last one is for all
    other rows.
    """
    assert view.exit is not None
    named = view.exit.families
    if view.exit.by is None or column in named:
        return [(named.get(column, f"{view.name}.{column}"), "true")]
    of_values = {
        key.partition(":")[2]: family
        for key, family in named.items()
        if key.startswith(f"{column}:")
    }
    made = [(family, f"t.\"{view.exit.by}\" = '{value}'") for value, family in of_values.items()]
    return [*made, (f"{view.name}.{column}", "true")]


def family_sql(view: View, column: str) -> str:
    """SQL over a row `t`: the family of one of its counts."""
    cases = _qualified(view, column)
    if len(cases) == 1:
        return f"'{cases[0][0]}'"
    whens = " ".join(f"when {condition} then '{family}'" for family, condition in cases[:-1])
    return f"case {whens} else '{cases[-1][0]}' end"


def instance_sql(view: View, family: str) -> str:
    """SQL over a row `t`: what the family's decision is about; of a family of all views, the day
    alone.
    """
    assert view.exit is not None
    parts = [f"{_day(view)}::text"]
    if view.exit.on != "as_of":
        parts.append(f't."{view.key[0]}"::text')
    others = [
        name
        for name in view.key[0 if view.exit.on == "as_of" else 1 :]
        if name not in ("area_code", view.exit.merged)
    ]
    parts += [f't."{name}"' for name in others]
    if view.exit.merged:
        parts.append(f"(t.\"{view.exit.merged}\" = '{TOTAL}')::text")
    whole = " || '|' || ".join(parts)
    return f"case when strpos({family}, '.') = 0 then {_day(view)}::text else {whole} end"


def _merged(view: View) -> str:
    assert view.exit is not None
    return f" || ':' || t.\"{view.exit.merged}\"" if view.exit.merged else ""


def _cells() -> str:
    """Every count of every view: its family, what it is about, its area and its name."""
    made = []
    for view in leaving_views():
        assert view.exit is not None
        sparse = str(view.exit.is_sparse).lower()
        for column in counts_of(view):
            family = family_sql(view, column)
            made.append(
                f"select {family} as family, {instance_sql(view, family)} as instance, t.area_code,"
                f" '{view.name}.{column}'{_merged(view)} as measure, t.\"{column}\" as value,"
                f" {sparse} as is_sparse"
                f' from {_rows(view)} where t."{column}" is not null'
            )
        for family_name, sql in view.exit.derived:
            family = (
                family_sql(view, family_name)
                if family_name in counts_of(view)
                else f"'{family_name}'"
            )
            made.append(
                f"select {family}, {instance_sql(view, family)}, t.area_code, '{view.name}:"
                f" {sql}'{_merged(view)}, {sql}, {sparse} from {_rows(view)} where {sql} is not"
                " null"
            )
    return "\n  union all\n  ".join(made)


def hidden_sql() -> str:
    """The function that says which areas are hidden, by family and what it is about."""
    follows = [
        f"('{family}', '{led}', {str(view.exit.places_only).lower()})"
        for view in leaving_views()
        if view.exit
        for family, led in view.exit.follows.items()
    ]
    return f"""
create or replace function {HIDDEN} returns table (family text, instance text, area_code text)
language sql stable security definer rows 100
set search_path = pg_catalog, pg_temp set client_min_messages = notice set jit = off as $$
with recursive cell as materialized (
  {_cells()}
),
area as (
  select distinct c.area_code from cell as c
  where length(c.area_code) < 12 and right(c.area_code, 3) <> '000'
),
-- Where a row is there only if something was counted, the other areas of the parent have 0.
filled as (
  select c.family, c.instance, c.area_code, c.measure, c.value from cell as c
  union all
  select m.family, m.instance, a.area_code, m.measure, 0
  from (
    select distinct c.family, c.instance, left(c.area_code, length(c.area_code) - 3) as parent,
      length(c.area_code) as digits, c.measure
    from cell as c where c.is_sparse and length(c.area_code) > 6
  ) as m
  inner join area as a on length(a.area_code) = m.digits
    and left(a.area_code, m.digits - 3) = m.parent
  where not exists (
    select 1 from cell as c
    where c.family = m.family and c.instance = m.instance and c.area_code = a.area_code
      and c.measure = m.measure
  )
),
place as (
  select f.family, f.instance, f.area_code, bool_or(f.value < {THRESHOLD}) as is_small,
    case when length(f.area_code) > 6 then left(f.area_code, length(f.area_code) - 3)
      else f.area_code end as parent
  from filled as f
  group by f.family, f.instance, f.area_code
),
ordered as (
  select p.*, row_number() over (
      partition by p.family, p.instance, p.parent, length(p.area_code)
      order by p.is_small desc, p.area_code desc
    ) as place,
    bool_or(p.is_small) over
      (partition by p.family, p.instance, p.parent, length(p.area_code)) as has_small
  from place as p
),
-- What is hidden before an area, in each count: it goes too where that is less than the threshold,
-- or one area alone.
before as (
  select o.family, o.instance, o.area_code, coalesce(sum(f.value) over (
      partition by o.family, o.instance, o.parent, length(o.area_code), f.measure
      order by o.place rows between unbounded preceding and 1 preceding
    ), 0) as hidden_so_far
  from ordered as o
  inner join filled as f on f.family = o.family and f.instance = o.instance
    and f.area_code = o.area_code
  where o.has_small and length(o.area_code) > 6
),
own as (
  select o.family, o.instance, o.area_code from ordered as o where o.is_small
  union
  select o.family, o.instance, o.area_code from ordered as o
  where o.has_small and o.place <= 2 and length(o.area_code) > 6
  union
  select b.family, b.instance, b.area_code from before as b where b.hidden_so_far < {THRESHOLD}
),
follows (family, led, places_only) as (values {", ".join(follows)}),
-- What lies in a hidden area goes too, and what would tell it.
down as (
  select w.family, w.instance, w.area_code from own as w
  union
  select m.family, m.instance, m.area_code
  from down as d
  cross join lateral (
    select p.family, p.instance, p.area_code
    from place as p
    where p.family = d.family and p.instance = d.instance and p.parent = d.area_code
      and length(p.area_code) > length(d.area_code)
    union all
    select p.family, p.instance, p.area_code
    from follows as f
    inner join place as p on p.family = f.family
    where f.led = d.family and d.instance in (p.instance, split_part(p.instance, '|', 1))
      and (d.area_code = p.area_code or (f.places_only and d.area_code = p.area_code || '000'))
  ) as m
)
select d.family, d.instance, d.area_code from down as d
$$
"""


def _is_shown(view: View, count: str, unplaced: str) -> str:
    family = family_sql(view, count)
    return (
        f"not exists (select 1 from gone as g where g.family = {family} and g.instance ="
        f" {instance_sql(view, family)} and g.area_code in (t.area_code{unplaced}))"
    )


def _unplaced(view: View) -> str:
    """SQL over a row `t` of a view of places: the households of its area that it leaves out; null
    where they have a row there."""
    nowhere = "t.area_code || '000'"
    if view.exit is None or view.exit.on != "as_of":
        return nowhere
    read = f"o.from_release <= {READ} and o.until_release > {READ}"
    own = f'select 1 from store."{view.name}" as o where o.area_code = {nowhere} and {read}'
    return f"case when not exists ({own}) then {nowhere} end"


def _sees(view: View) -> str:
    """SQL over a row `t`: all of them for who sees all or counts, else those of one's own areas or
    departments.

    Less one's own row, that of the area above would tell the others.
    """
    role = "(select yihu_in.role_of_session())"
    own = [
        f"{role} in ('all', 'analyst')",
        f"{role} = 'area' and exists (select from unnest((select yihu.granted_areas())) as g (code)"
        " where starts_with(t.area_code, g.code))",
    ]
    if view.department:
        mine = f"{view.department} = any ((select yihu.granted_departments())::text[])"
        own.append(f"{role} = 'department' and {mine}")
    return " or ".join(own)


def public_sql(view: View, added: tuple[Column, ...]) -> str:
    """The function that gives a view's rows as they may leave the house."""
    assert view.exit is not None
    counts = counts_of(view)
    unplaced = f", {_unplaced(view)}" if view.exit.places_only else ""
    seen = [_is_shown(view, name, unplaced) for name in counts]
    made = {"as_of": "yihu.current_as_of()", "release_id": READ} if added else {}
    picked = []
    for column in view.shown(added):
        name = f't."{column.name}"'
        if column.name in made:
            picked.append(made[column.name])
        elif column.name in counts:
            picked.append(f"case when {seen[counts.index(column.name)]} then {name} end")
        elif column.name == view.exit.ranked:
            of = f't."{view.exit.by}"'
            whole = f"bool_and({' and '.join(seen)}) over (partition by length(t.area_code), {of})"
            picked.append(f"case when {whole} then {name} end")
        elif column.name in figures_of(view):
            picked.append(f"case when {' and '.join(seen)} then {name} end")
        else:
            picked.append(name)
    names = ", ".join(f'"{column.name}" {column.type}' for column in view.shown(added))
    left_out = f" and ({' or '.join(seen)})" if view.exit.is_sparse else ""
    return f"""
create or replace function {public_function(view)} returns table ({names})
language sql stable security definer rows 1000
set search_path = pg_catalog, pg_temp set client_min_messages = notice set jit = off as $$
with gone as materialized (select h.family, h.instance, h.area_code from {HIDDEN} as h)
select {", ".join(picked)}
from {_rows(view)}
where ({_sees(view)}){left_out}
$$"""


def statements(added_of: Iterable[tuple[View, tuple[Column, ...]]]) -> list[str]:
    """The functions, in order."""
    return [
        hidden_sql(),
        *(public_sql(view, added) for view, added in added_of if view.exit is not None),
    ]
