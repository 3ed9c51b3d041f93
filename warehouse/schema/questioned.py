"""What consumers read of what departments say against each other, of what is to be mended, of what
families are entitled to and of what is not known.

Belongs here: the declarations of these views. Not here: what a view is (`view`).

None of their counts leaves by the one exit: some are a ledger's under another name (who should
have a visit is who is red), and two decisions on one count tell it. An analyst sees none of them.
"""

from __future__ import annotations

from warehouse.schema.view import HOUSEHOLD_ID, Column, View, columns

CONTRADICTION = View(
    "contradiction",
    ("contradiction_id",),
    columns(
        "contradiction_id | text | stays from day to day while it stands",
        HOUSEHOLD_ID,
        "member_id | text | empty where it is the household's",
        "code | text | the rule, X01 to X67 (warehouse/rules/crosscheck-….yaml)",
        "owner | text | the department that is asked first",
        "other | text | the department whose records speak against it",
        "record_ids | text[] | the owner's records; a count by record type for who has none there",
        "other_record_ids | text[] | all others' records, alike",
        "since | date | first day without a break",
        "state | text | new; open; confirmed; explained; not_confirmed",
        Column(
            "evidence",
            "text[]",
            "department.records|record_id of both sides",
            is_hidden=True,
        ),
    ),
    "What departments say against each other (信息比对): a question to a named office, never a"
    " finding; it changes no score, no lamp, no benefit (不得据此停发、减发).",
    (("household_id",), ("code",)),
    readers=("yihu_area",),
    departments="yihu_in.departments_of(t.owner, t.evidence)",
    masks={
        "record_ids": "yihu_in.side_as_seen(t.record_ids, t.evidence, t.owner, true)",
        "other_record_ids": (
            "yihu_in.side_as_seen(t.other_record_ids, t.evidence, t.owner, false)"
        ),
    },
    since="0.2.0",
)
CONTRADICTION_ACCURACY = View(
    "contradiction_accuracy",
    ("area_code", "code"),
    columns(
        "area_code | text | a county or a town: 6 or 9 digits",
        "code | text | the rule",
        "listed | integer | contradictions that were open on a day of the last 12 months",
        "checked | integer | of these with a verdict",
        "confirmed | integer | of these found to be so",
        "precision | numeric(12,4) | confirmed / checked; null where nothing was checked",
        "precision_low | numeric(12,4) | lower end of its 95% interval (Wilson)",
        "precision_high | numeric(12,4) | upper end",
        "is_resting | boolean | out of the lists: from 30 verdicts on precision_high is under the"
        " rules' floor",
    ),
    "How often each rule of the contradictions was right, per county and town.",
    since="0.2.0",
)

DEPARTMENT = Column("department", "text", "whose it is", is_hidden=True)
ISSUE_LEDGER = View(
    "issue_ledger",
    ("issue_id",),
    columns(
        "issue_id | text | ",
        "area_code | text | the issue's own, 12 digits: a village; …000 a town; …000000 the county",
        Column("household_id", "text", "where it is about one household"),
        "source | text | national; provincial; municipal; self_check (自查); inspection (督查);"
        " audit; petition (信访); media (舆情); comparison (信息比对)",
        "theme | text | protection; assets; industry; funds; petition; conduct; data",
        "owner | text | department code or town code in charge",
        "found_on | date | ",
        "due_on | date | its term (限期整改)",
        "step | text | list; notified (通报); talked (约谈); accounted (问责); mended (整改);"
        " proved (销号)",
        "next_step | text | what the rules ask for next; empty once proved",
        "next_step_on | date | ",
        "is_overdue | boolean | due and not mended",
        "still_stands | boolean | mended as said, and its contradiction or risk stands today",
    ),
    "What inspections, audits, petitions and comparisons found, and how far it is mended"
    " (问题整改, 一清单三机制).",
    (("owner",),),
    department="t.owner",
    since="0.2.0",
)
ISSUE_SUMMARY = View(
    "issue_summary",
    ("area_code", "owner", "theme", "source", "week"),
    columns(
        "area_code | text | a county, town or village: 6, 9 or 12 digits; 4 for a prefecture",
        "owner | text | department code or town code in charge",
        "theme | text | ",
        "source | text | ",
        "week | text | ISO week in which they were found, 2026-W48",
        "open | integer | not mended",
        "overdue | integer | of the open: past their term",
        "mended | integer | and not proved",
        "proved | integer | by another office",
        "still_standing | integer | said to be mended, and it stands",
    ),
    "Issues by area, owner, theme, source and week.",
    department="t.owner",
    since="0.2.0",
)
ENTITLEMENT = View(
    "entitlement",
    ("entitlement_id",),
    columns(
        HOUSEHOLD_ID,
        "entitlement_id | text | household, scheme and member, joined by |",
        "member_id | text | empty where it is the household's",
        "scheme | text | dibao; tekun; edge; living; nursing; temporary_aid; medical_aid; insured;"
        " retrofit; relief",
        "state | text | met; gap; beyond: held and not entitled as far as is known, a question;"
        " unknown: an input is missing or disputed",
        "gap_at | text | awarded: the first step that is lacking; empty unless gap",
        "since | date | first day in this state without a break",
        "basis | text | paragraph and document of the policy; 依据待核 where nobody checked it",
        "facts | text | name=value of what made it so",
        DEPARTMENT,
    ),
    "Who is entitled to what, and does it arrive (应享尽享, 应保尽保).",
    (("household_id",), ("scheme",)),
    department="t.department",
    since="0.2.0",
)
ENTITLEMENT_EDGE = View(
    "entitlement_edge",
    ("area_code", "scheme"),
    columns(
        "area_code | text | a county, town or village: 6, 9 or 12 digits; 4 for a prefecture",
        "scheme | text | dibao; edge; line, the monitoring line",
        "households | integer | whose income is at least the line and under a tenth more",
    ),
    "Households just above a line.",
    since="0.2.0",
)
KNOWN_GAP = View(
    "known_gap",
    ("household_id", "records"),
    columns(
        HOUSEHOLD_ID,
        "records | text | a record type that this household should have rows in and has none",
        "reason | text | why one expects it",
        DEPARTMENT,
    ),
    "What is not known of a household (一户不落).",
    (("records",),),
    department="t.department",
    since="0.2.0",
)
KNOWN_GAP_SHARE = View(
    "known_gap_share",
    ("area_code", "records"),
    columns(
        "area_code | text | a county, town or village: 6, 9 or 12 digits; 4 for a prefecture",
        "records | text | record type",
        "due | integer | households that should have some",
        "there | integer | that have",
        "share | numeric(12,4) | there / due; null where none should",
    ),
    "Of the households that should have rows in a record type, how many have.",
    since="0.2.0",
)

QUESTIONED = (
    CONTRADICTION,
    CONTRADICTION_ACCURACY,
    ISSUE_LEDGER,
    ISSUE_SUMMARY,
    ENTITLEMENT,
    ENTITLEMENT_EDGE,
    KNOWN_GAP,
    KNOWN_GAP_SHARE,
)
