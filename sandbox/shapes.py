"""How each record type is told from its draft: keys, fields as they stand at a version, and how a
row can be broken.

Belongs here: SQL expressions over the drafted columns, by record type. Not here: when versions come
(`days`), which number a record carries (`delivery`).

In the expressions `n` is the record's number, `k` its version (-1 for the first), `u` its
`updated_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Break:
    """One way a row breaks a rule: `field` says something it may not.

    `value` is an SQL expression of the field's own type, or with `is_misfit` the text that does not
    fit the type; a typed column of a database cannot hold such a text and has null.
    """

    field: str
    value: str
    is_misfit: bool = False


@dataclass(frozen=True)
class Shape:
    """A record type as the sandbox makes it."""

    records: str
    prefix: str
    id_field: str | None
    name_field: str | None
    fields: dict[str, str] = field(default_factory=dict)
    """Logical field → SQL; the drafted column of the same name where it is not listed."""
    breaks: tuple[Break, ...] = ()
    period: int = 100
    """A record gets a new version every so many days: 100 makes 1% of the records change on a day.
    """
    sound: str = "false"
    """SQL: no version of the record is broken."""


def key_of(prefix: str, ordinal: str) -> str:
    """The record key of the record numbered `ordinal` (an SQL expression)."""
    return f"'{prefix}' || lpad(cast({ordinal} as varchar), 8, '0')"


def household_id(ordinal: str) -> str:
    return f"'H' || lpad(cast({ordinal} as varchar), 7, '0')"


def member_id(ordinal: str, slot: str) -> str:
    return (
        f"'M' || lpad(cast({ordinal} as varchar), 7, '0') || '-' || lpad(cast({slot} as varchar),"
        " 2, '0')"
    )


def _at_end(column: str, kind: str = "date") -> str:
    """The column's value once it has come, null before."""
    return f"case when _closed is not null and u >= _closed then {column} end::{kind}"


def _stage_on(name: str) -> str:
    return f"case when {name} <= u::date then {name} end"


_STAGES = (
    "discovered_on",
    "verified_on",
    "compared_on",
    "reviewed_on",
    "approved_on",
    "recorded_on",
    "assisted_on",
    "cleared_on",
)
CHANNELS = "['report', 'visit', 'comparison', 'petition', 'other']"
CLEARANCES = "['self', 'development', 'protection', 'natural']"
_STEPS = ("notified_on", "talked_on", "accounted_on", "mended_on", "proved_on")


def _moved(column: str, spread: int, salt: int) -> str:
    """Money that wanders a little from version to version: ± `spread` percent, to the yuan."""
    return (
        f"({column} + round({column} * (dice(n, k, {salt}) % {2 * spread * 10 + 1} -"
        f" {spread * 10})::decimal(9,0) / 1000))::decimal(16,2)"
    )


_HOUSEHOLDS = Shape(
    "households",
    "H",
    "head_id_number",
    "head_name",
    {
        "household_id": "_key",
        "wage_income": _moved("wage_income", 4, 21),
        "transfer_income": _moved("transfer_income", 2, 22),
        "last_visit_on": (
            "case when visited_on is not null then visited_on"
            " when measures_count > 0 or dice(n, k, 23) % 5 = 0 then (u::date - (1 + dice(n, k,"
            " 24) % 25)::int) end"
        ),
        "measures_count": "measures_count",
        "monitor_cleared": "monitor_cleared and coalesce(clears_on < u::date, true)",
    },
    (Break("household_type", "'9'"), Break("area_code", "'61092'"), Break("monitor_class", "'7'")),
)
_MEMBERS = Shape(
    "members",
    "M",
    "id_number",
    "name",
    {
        "member_id": member_id("household", "slot"),
        "household_id": household_id("household"),
        "resident_months": (
            "resident_months - case when resident_months between 1 and 11 then dice(n, k, 25) % 2"
            " else 0 end"
        ),
        "work_months": (
            "case when work_months between 2 and 11 then work_months - 1 + dice(n, k, 26) % 3 else"
            " work_months end"
        ),
        "relation": "case when moved_on < u::date then relation_after else relation end",
        "status": "case when died_on < u::date then '3' else status end",
        "working_now": "working_now and (died_on is null or died_on >= u::date)",
    },
    (Break("relation", "'99'"), Break("status", "'7'"), Break("student_status", "'8'")),
    sound="keeps_sound",
)

SHAPES: dict[str, Shape] = {
    shape.records: shape
    for shape in (
        _HOUSEHOLDS,
        _MEMBERS,
        Shape(
            "settlements",
            "ST",
            "id_number",
            "name",
            {"reverses_id": f"case when reverses >= 0 then {key_of('ST', 'reverses')} end"},
            (
                Break("total_fee", "total_fee + 100"),
                Break("medical_type", "'99'"),
                Break("personal_paid", "'三千元'", True),
                Break("settled_at", "'2026-02-30 25:00'", True),
            ),
        ),
        Shape(
            "enrolments",
            "EN",
            "id_number",
            "name",
            {},
            (Break("status", "'9'"), Break("year", "'二〇二六'", True)),
        ),
        Shape(
            "certificates",
            "",
            "certificate_no",
            "name",
            {"status": "case when dies_on < u::date then '3' else status end"},
            (
                Break("level", "'5'"),
                Break("category", "'9'"),
                Break("issued_on", "'2025.13.01'", True),
            ),
        ),
        Shape(
            "assistance",
            "AS",
            "applicant_id_number",
            "applicant_name",
            {"class": "nullif(class, '')", "ended_on": _at_end("ended_on")},
            (
                Break("scheme", "'dibao2'"),
                Break("started_on", "'二月初'", True),
                Break("ended_on", "(started_on - 30)::date"),
            ),
        ),
        Shape(
            "dwellings",
            "FW",
            "owner_id_number",
            "owner_name",
            {},
            (
                Break("grade", "'E'"),
                Break("appraised_on", "'2024-13-45'", True),
                Break("occupied", "'有人'", True),
            ),
        ),
        Shape(
            "losses",
            "LS",
            "head_id_number",
            "head_name",
            {"resolved_on": _at_end("resolved_on")},
            (
                Break("house_damage", "'8'"),
                Break("hazard", "'flod'"),
                Break("loss_amount", "'约2万'", True),
            ),
        ),
        Shape(
            "temporary_aid",
            "TA",
            "id_number",
            "name",
            {},
            (Break("aid_type", "'misc'"), Break("amount", "'伍佰'", True)),
        ),
        Shape(
            "disability_subsidies",
            "DS",
            "id_number",
            "name",
            {},
            (Break("month", "'202613'"), Break("subsidy", "'both'")),
        ),
        Shape("deaths", "DE", "id_number", "name", {}, (Break("died_on", "'不详'", True),)),
        Shape(
            "retrofits",
            "WG",
            "owner_id_number",
            "owner_name",
            {
                "dwelling_id": (
                    f"case when dwelling >= 0 then {key_of('FW', 'dwelling')} else 'FW99999999' end"
                ),
                "started_on": _stage_on("started_on"),
                "finished_on": _at_end("finished_on"),
            },
            (Break("approved_on", "'待定'", True), Break("subsidy_amount", "-1::decimal(16,2)")),
        ),
        Shape(
            "casualties",
            "CA",
            "id_number",
            "name",
            {"event_id": "nullif(event_id, '')"},
            (Break("outcome", "'hurt'"),),
        ),
        Shape(
            "relief",
            "RE",
            "head_id_number",
            "head_name",
            {"ended_on": _at_end("ended_on")},
            (Break("listed_on", "'11月'", True), Break("ended_on", "(listed_on - 30)::date")),
        ),
        Shape(
            "serious_illnesses",
            "SI",
            "id_number",
            "name",
            {"status": "case when _closed is not null and u >= _closed then '0' else '1' end"},
            (Break("status", "'5'"),),
        ),
        Shape(
            "chronic_followups",
            "CF",
            "id_number",
            "name",
            {
                "last_followup_on": (
                    """case habit when 0 then (u::date - (dice(n, k, 27) % 20)::int)
                    when 1 then least(last_followup_on, u::date) end"""
                ),
            },
            (Break("disease", "'flu'"), Break("signed", "'是的吧'", True)),
        ),
        Shape(
            "reports",
            "RP",
            "reporter_id_number",
            "reporter_name",
            {
                "status": (
                    "case when _closed is not null and u >= _closed then 'closed' else 'open' end"
                ),
                "closed_at": _at_end("closed_at", "timestamp"),
                "answered_on": "null::date",
                "answer": "null::varchar",
            },
            (Break("channel", "'wechat'"), Break("status", "'done'")),
        ),
        Shape(
            "cases",
            "MC",
            None,
            None,
            {
                "household_id": household_id("ordinal"),
                "stage": (
                    "greatest(1, "
                    + " + ".join(f"coalesce(({name} <= u::date)::int, 0)" for name in _STAGES)
                    + ")"
                ),
                **{name: _stage_on(name) for name in _STAGES[1:]},
                "channel": f"({CHANNELS})[1 + dice(n, 0, 40) % 5]",
                "green_channel": "false",
                "report_id": "null::varchar",
                "authorised_on": "case when verified_on <= u::date then verified_on end",
                "posted_until": "case when reviewed_on <= u::date then reviewed_on + 10 end",
                "objection": "case when approved_on <= u::date then false end",
                "rejected_on": "null::date",
                "clearance": f"case when cleared_on <= u::date then ({CLEARANCES})"
                "[1 + dice(n, 0, 41) % 4] end",
            },
            (
                Break("stage", "9"),
                Break("monitor_class", "'X'"),
                Break("discovered_on", "'去年'", True),
            ),
            period=20,
        ),
        Shape(
            "field_results",
            "FR",
            None,
            None,
            {"household_id": household_id("ordinal")},
            (Break("result", "'X'"), Break("visited_on", "'去年'", True)),
        ),
        Shape(
            "issues",
            "IS",
            None,
            None,
            {
                "household_id": f"case when ordinal > 0 then {household_id('ordinal')} end",
                "contradiction_id": "null::varchar",
                **{name: _stage_on(name) for name in _STEPS},
                "mended_by": "case when mended_on <= u::date then mended_by end",
                "proved_by": "case when proved_on <= u::date then proved_by end",
            },
            (Break("theme", "'X'"), Break("area_code", "'61092'"), Break("due_on", "'尽快'", True)),
            period=20,
        ),
        Shape(
            "verdicts",
            "CV",
            None,
            None,
            {"household_id": household_id("ordinal"), "wrong": "null::varchar"},
            (Break("verdict", "'X'"), Break("checked_on", "'去年'", True)),
        ),
        Shape(
            "assignments",
            "ZR",
            None,
            None,
            {"household_id": household_id("ordinal"), "ended_on": _at_end("ended_on")},
            (Break("duty", "'X'"), Break("started_on", "'年初'", True)),
        ),
        Shape(
            "visits",
            "ZF",
            None,
            None,
            {"household_id": household_id("ordinal")},
            (Break("found", "'none,illness'"), Break("kind", "'X'")),
        ),
        Shape(
            "measures",
            "CS",
            None,
            None,
            {"household_id": household_id("ordinal"), "case_id": "null::varchar"},
            (Break("kind", "'X'"), Break("amount", "'几千元'", True)),
        ),
        Shape(
            "loans",
            "XD",
            "id_number",
            "name",
            {},
            (Break("status", "'X'"), Break("balance", "-1::decimal(16,2)")),
        ),
        Shape(
            "employment",
            "JY",
            "id_number",
            "name",
            {"ended_on": _at_end("ended_on")},
            (Break("place", "'X'"), Break("monthly_wage", "'面议'", True)),
        ),
        Shape(
            "student_aid",
            "ZZ",
            "id_number",
            "name",
            {},
            (Break("term", "'2026秋'"), Break("amount", "-1::decimal(16,2)")),
        ),
        Shape(
            "assets",
            "ZC",
            None,
            None,
            {
                "project_id": "null::varchar",
                "owner_level": "nullif(owner_level, '')",
                "transferred_on": _stage_on("transferred_on"),
            },
            (Break("state", "'X'"), Break("original_value", "'若干'", True)),
        ),
        Shape(
            "disputes",
            "YY",
            "id_number",
            "name",
            {
                "record_id": "null::varchar",
                "decided_on": _at_end("decided_on"),
                "decision": _at_end("decision", "varchar"),
            },
            (Break("kind", "'X'"), Break("due_on", "'尽快'", True)),
        ),
        Shape(
            "dividends",
            "FH",
            "id_number",
            "name",
            {"asset_id": key_of("ZC", "asset")},
            (Break("round", "1"), Break("amount", "'若干'", True)),
        ),
        Shape(
            "payments",
            "YK",
            "id_number",
            "name",
            {},
            (Break("scheme", "'X'"), Break("month", "'202613'")),
        ),
    )
}


def first_number(records: str) -> int:
    """The records of each type are numbered from here, so that the dice fall otherwise for each
    type.
    """
    return (1 + list(SHAPES).index(records)) * 1_000_000_000
