"""What consumers read: every view of `yihu`, its columns, types, keys and meanings, as data.

Belongs here: the declaration that the tables, views, row hashes, the release folder and the
dictionary are made from. Not here: SQLAlchemy (`tables`), SQL (`programs`), who may read (`roles`).
"""

from __future__ import annotations

from warehouse.catalogue import DOMAINS, Indicator, began_on, load_indicators
from warehouse.schema.questioned import QUESTIONED
from warehouse.schema.supported import SUPPORT
from warehouse.schema.view import ADDED as ADDED
from warehouse.schema.view import HOUSEHOLD_ID as HOUSEHOLD_ID
from warehouse.schema.view import PLACE as PLACE
from warehouse.schema.view import Column as Column
from warehouse.schema.view import Exit as Exit
from warehouse.schema.view import View as View
from warehouse.schema.view import columns as columns

RULE_VERSION = Column("rule_version", "text", "hash of the rules in force on the day")
COVERAGE = Column(
    "coverage", "numeric(5,4)", "share of the day's indicators that are ok or not_applicable"
)
STAGES = (
    "discovered",
    "verified",
    "compared",
    "reviewed",
    "approved",
    "recorded",
    "assisted",
    "cleared",
)


def _indicator(indicator: Indicator) -> Column:
    kind = indicator.sql_type.replace("decimal", "numeric").replace("varchar", "text")
    began = began_on()
    later = None if began[indicator.code] == min(began.values()) else began[indicator.code]
    meaning = (
        f"{indicator.code} {indicator.chinese}, {indicator.unit}:"
        f" {indicator.definition}{f'; from {later} on' if later else ''}"
    )
    return Column(indicator.column, kind, meaning, effective_from=later)


HOUSEHOLD = View(
    "household",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "head_name_masked | text | the head's name, masked (户主): 徐*",
        "household_type | text | 1 general; 2 lifted out of poverty and still entitled; 3 lifted"
        " and no longer entitled (户类型)",
        "monitor_class | text | 0 none or cleared; 1 unstable after lifting; 2 on the margin; 3"
        " sudden serious hardship (监测对象类别)",
        "relocated | boolean | moved by the relocation programme (易地搬迁)",
        "member_count | integer | active members, B01",
        "village_name | text | ",
        "town_name | text | ",
        "has_conflict | boolean | a member's ID number is in the review queue",
        Column(
            "is_shell",
            "boolean",
            "its row of the base register is not in force, while members are",
            since="0.2.0",
        ),
    ),
    "One row per household of the base register (一户).",
    (("area_code",),),
)
HOUSEHOLD_MEMBER = View(
    "household_member",
    ("member_id",),
    columns(
        "member_id | text | the person's number in the base register (人编号)",
        HOUSEHOLD_ID,
        "name_masked | text | the surname and *",
        "relation | text | 01 head; 02 spouse; 03 child; 04 parent; 05 grandchild; 06 other"
        " (与户主关系)",
        "age_band | text | 0-5; 6-15; 16-59; 60-79; 80+; unknown",
        "student_status | text | 0 none; 1 preschool; 2 compulsory; 3 senior secondary or"
        " vocational; 4 tertiary",
        "labour_class | text | 1 ordinary; 2 skilled; 3 weak or half; 4 lost; 5 none (劳动技能)",
        "status | text | 1 active; 2 moved out; 3 deceased",
        "identity_state | text | established; placeholder; conflict",
    ),
    "One row per member row of the base register.",
    (("household_id",),),
)
HOUSEHOLD_INDICATOR = View(
    "household_indicator",
    ("household_id",),
    (
        HOUSEHOLD_ID,
        *(_indicator(indicator) for indicator in load_indicators()),
        *columns(
            COVERAGE,
            "missing | text[] | codes of the indicators without a value because a source or a field"
            " is missing",
            "stale | text[] | codes of the indicators whose value stands on a source older than its"
            " contract allows",
            "not_applicable | text[] | codes of the indicators that do not apply to the household",
        ),
    ),
    "The indicators of each household; null is missing or not applicable, the lists say which.",
)
WARNING_FLAG = View(
    "warning_flag",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "level | text | red; yellow; green; none (no active member)",
        "score | numeric(6,2) | 0 to 100; red above 30, yellow above 15",
        "raw_points | numeric(6,2) | risk points under the domains' caps",
        "offset_points | numeric(6,2) | resilience points that count against them",
        "is_hard | boolean | a hard rule fired",
        "is_held | boolean | kept red because a domain that gave it points is missing or stale",
        "reasons | text[] | codes of the three largest contributions",
        COVERAGE,
        "red_since | date | first day of the current unbroken red",
        RULE_VERSION,
    ),
    "The lamp of each household: a reason to ask, never a finding.",
    (("town_code", "level"), ("level",)),
)
WARNING_REASON = View(
    "warning_reason",
    ("household_id", "code"),
    columns(
        HOUSEHOLD_ID,
        "code | text | an indicator; cap:<domain>; offset; floor; limit",
        "points | numeric(6,2) | risk positive, resilience negative, the others what they changed;"
        " they sum to the score",
        "value | text | the indicator's value",
        "threshold | text | the condition that held",
        "department | text | whose record it is",
        "records | text | record type",
        "evidence | text[] | record ids, at most 20",
        "evidence_on | date | the day on which the newest of these versions arrived",
        RULE_VERSION,
    ),
    "Why a household has its score, a row per contribution.",
)
FLAG_CHANGE = View(
    "flag_change",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "from_level | text | none for a household that is new",
        "to_level | text | the level now",
        "from_score | numeric(6,2) | ",
        "to_score | numeric(6,2) | ",
        "added | text[] | codes of the reasons that came",
        "removed | text[] | codes of the reasons that went",
    ),
    "Who changed level since the last release.",
)
VERIFY_ITEM = View(
    "verify_item",
    ("household_id", "department", "code"),
    columns(
        HOUSEHOLD_ID,
        "department | text | whose list it is on",
        "code | text | the indicator that put it there",
        "value | text | the indicator's value",
        "since | date | first day on the list without a break",
    ),
    "Households on a department's list, whatever their score (核查清单).",
    (("department",),),
    department="t.department",
)
FOLLOW_UP_TASK = View(
    "follow_up_task",
    ("task_id",),
    columns(
        "task_id | text | the same from day to day",
        HOUSEHOLD_ID,
        "need | text | a difficulty code (需求清单)",
        "department | text | whose task it is (任务清单)",
        "task | text | what is to be done",
        "code | text | the indicator behind it",
        "opened_on | date | ",
        "due_on | date | 30 days after it opened",
        "closed_on | date | the day on which its reason went",
    ),
    "What each red or monitored household needs, and whose task it is.",
    (("household_id",), ("department",)),
    department="t.department",
)
CASE_PROGRESS = View(
    "case_progress",
    ("case_id",),
    columns(
        "case_id | text | ",
        HOUSEHOLD_ID,
        "monitor_class | text | ",
        "risk_types | text[] | ",
        "stage | integer | 1 discovered to 8 cleared",
        "days_in_stage | integer | calendar days",
        "is_overdue | boolean | later than the stage allows",
        *(f"{stage}_on | date | " for stage in STAGES),
        *columns(
            "channel | text | how it was found: report; visit; comparison; petition; other",
            "green_channel | boolean | aid came first, the recognition steps afterwards (绿色通道)",
            "report_id | text | the report that it grew out of: as delivered, else the newest of a"
            " member within the days before that the rules give",
            "authorised_on | date | the household allowed its data to be compared (承诺授权)",
            "posted_until | date | end of the public notice (公示)",
            "objection | boolean | somebody objected while it was posted",
            "rejected_on | date | not recognised; the case ended without stages 6 to 8",
            "clearance | text | how the risk went: self; development; protection; natural",
            since="0.2.0",
        ),
    ),
    "The eight stages of each monitored household.",
    (("household_id",),),
)
AREA_LEDGER = View(
    "area_ledger",
    ("area_code",),
    columns(
        "area_code | text | county, town or village: 6, 9 or 12 digits",
        "area_level | text | county; town; village",
        "area_name | text | ",
        "households | integer | ",
        "persons | integer | active members",
        "red | integer | households; so are the next",
        "yellow | integer | ",
        "green | integer | ",
        "held | integer | ",
        "newly_red | integer | since the last release",
        "no_longer_red | integer | since the last release",
        *(
            f"{domain} | integer | households with points in the domain {domain}"
            for domain in DOMAINS
        ),
        "monitored_households | integer | ",
        "monitored_persons | integer | ",
        "cleared_households | integer | ",
        "cleared_persons | integer | ",
    ),
    "Counts per county, town and village (统计台账); for officials, not for publication: see"
    " public_ledger.",
    exit=Exit(
        families={
            **dict.fromkeys(("red", "yellow", "green"), "lamps"),
            **dict.fromkeys(("newly_red", "no_longer_red"), "area_ledger.change"),
            **{
                name: name
                for name in (
                    "households",
                    "persons",
                    "monitored_households",
                    "cleared_households",
                    "cleared_persons",
                )
            },
        },
        derived=(("area_ledger.change", "t.red - t.newly_red + t.no_longer_red"),),
        follows={"lamps": "households", "area_ledger.change": "lamps", "area_ledger.held": "lamps"},
    ),
)
BULLETIN = View(
    "bulletin",
    ("area_code", "measure"),
    columns(
        "area_code | text | a county or a town: 6 or 9 digits",
        "measure | text | red_rate; insured_rate; chronic_signed_rate; support_rate;"
        " microcredit_rate; clearance_rate_households; …_persons",
        "numerator | integer | ",
        "denominator | integer | ",
        "rate | numeric(5,4) | null where the denominator is 0",
        "rank | integer | competition rank among areas of its level; 1 is best",
    ),
    "Rates and ranks per county and town (通报).",
    exit=Exit(
        not_counts=("rank",),
        families={
            "numerator:red_rate": "lamps",
            "denominator:red_rate": "households",
            "denominator:insured_rate": "persons",
            "denominator:support_rate": "monitored_households",
            "numerator:clearance_rate_households": "cleared_households",
            "numerator:clearance_rate_persons": "cleared_persons",
        },
        derived=(("numerator", "t.denominator - t.numerator"),),
        by="measure",
        ranked="rank",
        places_only=True,
    ),
)
HOUSEHOLD_CARD = View(
    "household_card",
    ("household_id",),
    columns(
        HOUSEHOLD_ID, "card | jsonb | six lists: income benefits medical schooling housing water"
    ),
    "One household on one page (一卡一簿六清单).",
)

VIEWS = (
    HOUSEHOLD,
    HOUSEHOLD_MEMBER,
    HOUSEHOLD_INDICATOR,
    WARNING_FLAG,
    WARNING_REASON,
    FLAG_CHANGE,
    VERIFY_ITEM,
    FOLLOW_UP_TASK,
    CASE_PROGRESS,
    AREA_LEDGER,
    BULLETIN,
    HOUSEHOLD_CARD,
    *SUPPORT,
    *QUESTIONED,
)
"""The views over versioned tables; `source_status` and `release` stand beside them, over `ops`."""

VIEW = {view.name: view for view in VIEWS}
