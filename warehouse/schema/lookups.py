"""Views for looking up what the codes of the others mean, and one flat view of the red households
in words: for BI tools and spreadsheets.

Belongs here: their declaration and their SQL, made anew with the other programs. Not here: the
views of a release (`declared`), who may select from these (`roles`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from expectations.contract import load_contracts
from expectations.engine import literal
from warehouse.catalogue import load_indicators
from warehouse.schema.declared import HOUSEHOLD_ID, PLACE, RULE_VERSION, Column, View, columns
from warehouse.schema.reading import READ
from warehouse.scoring_rules import rules_by_version

SINCE = "0.2.0"


def _lookup(name: str, key: tuple[str, ...], meaning: str, *rows: str | Column) -> View:
    return View(name, key, columns(*rows, since=SINCE), meaning, since=SINCE)


INDICATOR = _lookup(
    "indicator",
    ("code",),
    "The indicators: codes, names, what each counts (指标目录).",
    "code | text | B basic, R risk, S resilience, and two digits",
    "name | text | its name in English, and its column in household_indicator behind the code",
    "chinese | text | ",
    "indicator_group | text | ",
    "domain | text | ",
    "unit | text | ",
    "definition | text | ",
    "sources | text | ",
    "effective_from | date | ",
)
AREA = _lookup(
    "area",
    ("area_code",),
    "Counties, towns and villages of the release that is read (行政区划).",
    "area_code | text | 6, 9 or 12 digits",
    "area_level | text | county; town; village",
    "area_name | text | ",
    "parent_code | text | ",
)
DEPARTMENT = _lookup(
    "department",
    ("department",),
    "The departments that deliver records (部门).",
    "department | text | its code wherever a department is named",
    "name | text | ",
    "record_types | text | ",
)
CODE_LIST = _lookup(
    "code_list",
    ("department", "records", "field", "code"),
    "What the codes in departments' records mean, as their contracts have them (代码表).",
    "department | text | ",
    "records | text | ",
    "field | text | ",
    "code | text | the code",
    "meaning | text | ",
)
RULE_LINE = _lookup(
    "rule_line",
    ("rule_version", "code", "line"),
    "The lines of the scoring rules, by version: which value gives which points (评分规则).",
    RULE_VERSION,
    "code | text | ",
    "line | integer | ",
    "condition | text | ",
    "points | numeric(6,2) | what it gives (a risk) or takes (resilience)",
    "is_hard | boolean | it lifts the score to the floor of the hard rules",
    "effective_from | date | ",
)
RED_WITH_REASONS = View(
    "red_with_reasons",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "town_name | text | ",
        "village_name | text | ",
        "head_name_masked | text | the head's name, masked (户主)",
        "score | numeric(6,2) | above 30",
        "red_since | date | first day of the current unbroken red",
        "is_hard | boolean | a hard rule fired",
        "is_held | boolean | kept red because what gave it points is missing or stale",
        "reasons_in_words | text | ",
        "departments | text | ",
        *PLACE,
        Column("as_of", "date", "the business day of the release that is read"),
        Column("release_id", "integer", "the release that is read"),
        since=SINCE,
    ),
    "The red households, a row each, with their reasons in words (红灯户及原因).",
    since=SINCE,
)
LOOKUPS = (INDICATOR, AREA, DEPARTMENT, CODE_LIST, RULE_LINE)
"""For everybody: they say nothing of a household."""
IN_WORDS = (RED_WITH_REASONS,)
"""For whoever reads households."""

Row = Sequence[str | int | bool | date | None]


def _indicators() -> list[Row]:
    return [
        (
            indicator.code,
            indicator.name,
            indicator.chinese,
            indicator.group,
            indicator.domain,
            indicator.unit,
            indicator.definition,
            ", ".join(indicator.sources),
            indicator.effective_from,
        )
        for indicator in load_indicators()
    ]


def _departments() -> list[Row]:
    found: dict[str, tuple[str, list[str]]] = {}
    for contract in load_contracts():
        named = found.setdefault(contract.department, (contract.department_name, []))
        named[1].append(contract.records)
    return [(code, name, ", ".join(types)) for code, (name, types) in sorted(found.items())]


def _codes() -> list[Row]:
    return [
        (contract.department, contract.records, field.name, code.code, code.meaning)
        for contract in load_contracts()
        for field in contract.fields
        for code in field.codes
    ]


def _lines() -> list[Row]:
    return [
        (
            rules.version,
            line.indicator.code,
            line.number,
            line.condition.text,
            str(line.points),
            line.is_hard,
            rules.effective_from,
        )
        for rules in rules_by_version()
        for line in rules.lines
    ]


def _value(value: str | int | bool | date | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return str(value).lower()
    return f"date '{value}'" if isinstance(value, date) else literal(value)


def _of_rows(view: View, rows: Iterable[Row]) -> str:
    """A view of rows that stand in its SQL: made anew whenever they change."""
    listed = ",\n  ".join(f"({', '.join(map(_value, row))})" for row in rows)
    names = ", ".join(f'"{column.name}"' for column in view.columns)
    typed = ", ".join(
        f'v."{column.name}"::{column.type} as "{column.name}"' for column in view.columns
    )
    head = f'create view yihu."{view.name}" with (security_barrier = true) as\nselect {typed}'
    return f"{head}\nfrom (values\n  {listed}\n) as v ({names})"


# who lives where is nobody's secret, and neither is what a village is called: of the ledger's rows
# nothing else is shown
AREAS = f"""
create view yihu.area with (security_barrier = true) as
select t.area_code, t.area_level, t.area_name,
  case length(t.area_code) when 9 then left(t.area_code, 6) when 12 then left(t.area_code, 9) end
    as parent_code
from store.area_ledger as t
where t.from_release <= {READ} and t.until_release > {READ}
"""

SAID = (
    "r.code || coalesce(' ' || i.chinese || ' ' || replace(i.name, '_', ' '), '') || ' ' ||"
    " to_char(r.points, 'FMS990.00') || coalesce(' (' || r.value || '; ' || r.threshold || ')', '')"
)


def _in_words(flags: str, households: str, reasons: str) -> str:
    """The red households of three relations, with their reasons."""
    return f"""select f.household_id, h.town_name, h.village_name, h.head_name_masked, f.score,
  f.red_since, f.is_hard, f.is_held, r.reasons_in_words, r.departments, f.area_code, f.town_code,
  (select yihu.current_as_of()) as as_of, {READ} as release_id
from {flags} as f
inner join {households} as h on h.household_id = f.household_id
left join (
  select r.household_id,
    string_agg({SAID}, '; ' order by r.points desc, r.code) as reasons_in_words,
    string_agg(distinct r.department, ', ' order by r.department) as departments
  from {reasons} as r
  left join yihu.indicator as i on i.code = r.code
  where r.points > 0
  group by r.household_id
) as r on r.household_id = f.household_id
where f.level = 'red'"""


def _released(view: str) -> str:
    read = f"t.from_release <= {READ} and t.until_release > {READ}"
    return f'(select t.* from store."{view}" as t where (select yihu.sees_all()) and {read})'


def _red_with_reasons() -> str:
    names = ("warning_flag", "household", "warning_reason")
    # of the county's reasons only those of red households are looked at
    red = f"(select k.household_id from {_released('warning_flag')} as k where k.level = 'red')"
    flags, households, reasons = (_released(name) for name in names)
    of_red = f"x.household_id in (select y.household_id from {red} as y)"
    theirs = f"(select x.* from {reasons} as x where {of_red})"
    own = (f'yihu_in."{name}"()' for name in names)
    return (
        "create view yihu.red_with_reasons with (security_barrier = true) as\n"
        f"{_in_words(flags, households, theirs)}\nunion all\n{_in_words(*own)}"
    )


def statements() -> list[str]:
    """The views, in order; comments are `programs`'."""
    return [
        _of_rows(INDICATOR, _indicators()),
        AREAS,
        _of_rows(DEPARTMENT, _departments()),
        _of_rows(CODE_LIST, _codes()),
        _of_rows(RULE_LINE, _lines()),
        _red_with_reasons(),
    ]
