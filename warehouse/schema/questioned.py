"""What consumers read of what departments say against each other, of what is to be mended, of what
families are entitled to and of what is not known.

Belongs here: the declarations of these views. Not here: what a view is (`view`).
"""

from __future__ import annotations

from warehouse.schema.view import HOUSEHOLD_ID, Column, Exit, View, columns

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
    exit=Exit(
        families=dict.fromkeys(
            ("listed", "checked", "confirmed"), "contradiction_accuracy.verdicts"
        ),
        derived=(
            ("contradiction_accuracy.verdicts", "t.listed - t.checked"),
            ("contradiction_accuracy.verdicts", "t.checked - t.confirmed"),
        ),
        by="code",
    ),
    since="0.2.0",
)

QUESTIONED = (CONTRADICTION, CONTRADICTION_ACCURACY)
