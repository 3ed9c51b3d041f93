"""How the views of `yihu` read: as their owner, whole for who sees all, and by the session's grants
for everybody else.

Belongs here: the SQL of the views and of the functions of `yihu_in` behind them. Not here: which
views there are (`declared`), who may select from them (`roles`), what leaves by the one exit
(`leaving`).

Row security alone was an oracle: plans, counters and LIMIT told an officer of one town every column
of the other towns, row by row, since a condition met their rows before the policy hid them. Here a
condition meets nothing but the session's own rows: the first arm of a view is not run at all for
who does not see all (one condition for the whole scan), and the second is a function that has
gathered the session's rows by their place before any condition is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.schema.declared import ADDED, Column, View
from warehouse.schema.tables import SOURCE_STATUS

SCHEMA = "yihu_in"
READ = "(select yihu.current_release())"
PINNED = {
    "search_path": "pg_catalog, pg_temp",
    "client_min_messages": "notice",
    "jit": "off",
    "work_mem": "'64MB'",
    "max_parallel_workers_per_gather": "0",
    "enable_seqscan": "off",
    "enable_indexscan": "on",
    "enable_indexonlyscan": "on",
    "enable_bitmapscan": "on",
    "enable_nestloop": "on",
    "enable_material": "on",
    "enable_sort": "on",
    "plan_cache_mode": "auto",
}
"""What a function of `yihu_in` runs under, whatever its caller has set."""
AUDITOR = "yihu_auditor"
EXPECTED_ROWS = 200_000
"""What the planner takes a function of `yihu_in` to give: many, so that it never reads one again
for each row of another.
"""


def function_of(view: View) -> str:
    return f'{SCHEMA}."{view.name}"()'


def view_sql(view: View, added: tuple[Column, ...]) -> str:
    """The view: all of it for who sees all, the session's own rows, and counts by the one exit for
    who sees no more.
    """
    made = (
        {"as_of": "(select yihu.current_as_of()) as as_of", "release_id": f"{READ} as release_id"}
        if added
        else {}
    )
    names = _named(view, added, made, {})
    release = f"\n  and t.from_release <= {READ} and t.until_release > {READ}" if added else ""
    masked = _named(view, added, made, view.masks)
    leaving = (
        f'\nunion all\nselect t.*\nfrom yihu."public_{view.name}"() as t where (select'
        " yihu_in.sees_counts())"
        if view.exit
        else ""
    )
    whole = "yihu_in.sees_totals" if AUDITOR in view.readers else "yihu.sees_all"
    return (
        f'create view yihu."{view.name}" with (security_barrier = true) as\n'
        f'select {names}\nfrom store."{view.name}" as t\nwhere (select {whole}()){release}\n'
        f"union all\nselect {masked}\nfrom {function_of(view)} as t{leaving}"
    )


def _named(
    view: View, added: tuple[Column, ...], made: Mapping[str, str], masks: Mapping[str, str]
) -> str:
    """The columns as they are selected; a mask holds for the list and for the text beside it."""
    texts = {column.name for column in view.in_text}
    picked = []
    for column in view.shown(added):
        source = column.name.removesuffix("_text") if column.name in texts else column.name
        value = masks.get(source, f't."{source}"')
        if column.name in texts:
            value = f"array_to_string({value}, ', ')"
        is_plain = value == f't."{column.name}"'
        picked.append(
            made.get(column.name) or (value if is_plain else f'{value} as "{column.name}"')
        )
    return ", ".join(picked)


def function_sql(view: View, added: tuple[Column, ...]) -> str:
    """The session's own rows, gathered by its areas or departments; nothing for who sees all."""
    read = " and t.from_release <= chosen and t.until_release > chosen" if added else ""
    gathered = _gathered(view, "area", AREAS, _places(view), read)
    if view.department:
        gathered += _gathered(
            view,
            "department",
            DEPARTMENTS,
            [("true", f"{view.department} = mine.department")],
            read,
        )
    if view.departments:
        gathered += (
            f"  if role = 'department' then\n    return query select t.* from"
            f' store."{view.name}" as t\n      where {view.departments} &&'
            f" yihu.granted_departments(){read};\n  end if;\n"
        )
    return (
        f"create or replace function {function_of(view)} returns setof"
        f' store."{view.name}"\nlanguage plpgsql stable security definer rows'
        f" {EXPECTED_ROWS}\n{_pinned()} as $$\ndeclare\n  chosen integer;\n  mine record;\n  role"
        " text := yihu_in.role_of_session();\nbegin\n  if role = 'all' then\n    return;\n  end"
        f" if;\n  chosen := yihu.current_release();\n{gathered}end $$"
    )


def _pinned() -> str:
    return "\n".join(f"set {name} = {value}" for name, value in PINNED.items())


AREAS = "select * from yihu_in.granted_towns()"
DEPARTMENTS = "select unnest(yihu.granted_departments()) as department"


def _places(view: View) -> list[tuple[str, str]]:
    """For grants of a kind, the rows that lie in them; each is found by an index."""
    towns = "t.town_code >= mine.first_town and t.town_code <= mine.last_town"
    made = [
        ("mine.village is null", towns),
        (
            "mine.village is not null",
            "t.town_code = mine.first_town and t.area_code = mine.village",
        ),
    ]
    if "area_code" in view.key:
        made.append(
            ("mine.county is not null", "t.town_code is null and t.area_code = mine.county")
        )
    return made


def _gathered(view: View, role: str, grants: str, kinds: list[tuple[str, str]], read: str) -> str:
    """Grant by grant, so that a row is handed on as it is stored: a join would make each of them
    anew.
    """
    arms = "".join(
        f'      if {kind} then\n        return query select t.* from store."{view.name}" as t where'
        f" {condition}{read};\n      end if;\n"
        for kind, condition in kinds
    )
    return (
        f"  if role = '{role}' then\n    for mine in {grants} loop\n{arms}    end loop;\n  end"
        " if;\n"
    )


def source_status_sql() -> list[str]:
    """`source_status` alike: everybody sees all of it, a department its own."""
    names = ", ".join(
        f't."{column.name}"' for column in SOURCE_STATUS.columns if column.name != "release_id"
    )
    added = f"(select yihu.current_as_of()) as as_of,\n  {READ} as release_id"
    return [
        (
            f"create or replace function {SCHEMA}.source_status() returns setof"
            f" ops.source_status\nlanguage plpgsql stable security definer rows 100\n{_pinned()} as"
            " $$\nbegin\n  if yihu_in.role_of_session() = 'department' then\n    return query"
            " select t.* from unnest(yihu.granted_departments()) as g (department) cross join"
            " lateral (\n      select t.* from ops.source_status as t where t.department ="
            " g.department and t.release_id = yihu.current_release() offset 0) as t;\n  end"
            " if;\nend $$"
        ),
        (
            "create view yihu.source_status with (security_barrier = true) as\n"
            f"select {names},\n  {added}\nfrom ops.source_status as t\n"
            f"where (select yihu_in.sees_every_source()) and t.release_id = {READ}\n"
            f"union all\nselect {names},\n  {added}\nfrom {SCHEMA}.source_status() as t"
        ),
    ]


# A release's totals are a row of an area above most grants, and counts beside the one exit: less
# what is known of all areas but one, they would tell that one. They are for who sees all, and for
# the auditor.
RELEASE_VIEW = """
create view yihu.release with (security_barrier = true) as
select r.release_id, r.as_of,
  r.release_id = (select c.release_id from ops.current_release as c) as is_current,
  r.is_provisional, r.published_at, r.rule_version, r.code_version, r.run_id, r.checksum,
  case when (select yihu_in.sees_totals()) then r.households end as households,
  case when (select yihu_in.sees_totals()) then r.red end as red,
  case when (select yihu_in.sees_totals()) then r.yellow end as yellow,
  r.layout
from ops.release as r
where (r.pruned_at is null and r.withdrawn_at is null)
  or (select yihu_in.role_of_session()) = 'auditor'
"""


def statements(versioned: tuple[View, ...], periodic: tuple[View, ...]) -> list[str]:
    """The functions of each view and the views, in order; comments are `programs`', which also
    makes whose rows a session reads (`reading.sql`).
    """
    made = []
    for views, added in ((versioned, ADDED), (periodic, ())):
        for view in views:
            made += [function_sql(view, added), view_sql(view, added)]
    return [*made, *source_status_sql(), RELEASE_VIEW]
