"""Who helps, with what, and was it enough: the views of it, as data.

Belongs here: their declarations. Not here: the other views (`declared`), how a view is declared
(`view`).
"""

from __future__ import annotations

from warehouse.schema.view import HOUSEHOLD_ID, View, columns

SINCE = "0.2.0"
READERS = ("yihu_reader", "yihu_area", "yihu_steward")
READERS_OF_COUNTS = (*READERS, "yihu_auditor")
AREA_CODE = "area_code | text | a county, town or village: 6, 9 or 12 digits; 4 for a prefecture"

RESPONSIBILITY = View(
    "responsibility",
    ("household_id", "officer_id", "duty"),
    columns(
        HOUSEHOLD_ID,
        "officer_id | text | staff number, as a pseudonym where it looks like a phone's; the name:"
        " yihu.officer()",
        "duty | text | helper (帮扶责任人); grid (网格员); team (驻村工作队); leader (包联领导);"
        " centre (中心户长)",
        "since | date | first day of the assignments in force",
        "last_visit_on | date | last seen by this officer",
        "next_visit_due_on | date | by the rules, from the last visit by anyone; of helper, grid"
        " and team",
    ),
    "Who is responsible for a household (帮联责任), last and next visit.",
    (("officer_id",),),
    readers=READERS,
    since=SINCE,
)
RESPONSIBILITY_GAP = View(
    "responsibility_gap",
    ("area_code",),
    columns(
        AREA_CODE,
        "households | integer | with an active member",
        "without_helper | integer | households without a helper",
        "officers | integer | who have a household here, in whatever duty",
        "officers_above_limit | integer | helpers here with more households than the rules allow",
    ),
    "Households without a helper, and helpers with too many, by area.",
    readers=READERS_OF_COUNTS,
    since=SINCE,
)
VISIT_COVERAGE = View(
    "visit_coverage",
    ("area_code", "period", "kind"),
    columns(
        AREA_CODE,
        "period | text | an ISO week, 2026-W48; a half-year of a campaign, 2026-H2",
        "kind | text | routine; screening; campaign; phone; check; all",
        "households | integer | with an active member, of the area today",
        "visited | integer | households seen in the period",
        "found | integer | households where something was found",
    ),
    "Which households were seen in a week and in a half-year, and where something was found.",
    readers=READERS_OF_COUNTS,
    since=SINCE,
)
MEASURE_GAP = View(
    "measure_gap",
    ("household_id", "gap"),
    columns(
        HOUSEHOLD_ID,
        "gap | text | no_measure; no_development (able, and no development measure); no_protection"
        " (unable, and no protection); not_to_need (a risk, and no measure of its kind)",
        "since | date | first day without a break",
    ),
    "Monitored households whose measures are not enough (缺什么、补什么).",
    readers=READERS,
    since=SINCE,
)
SUPPORT_RECEIVED = View(
    "support_received",
    ("household_id", "scheme"),
    columns(
        HOUSEHOLD_ID,
        "scheme | text | as the payments have it",
        "amount_12_months | numeric(16,2) | yuan that reached the household in W; what was taken"
        " back is deducted",
        "awarded_12_months | numeric(16,2) | yuan that the awards come to; null where unknown",
        "payments | integer | how many",
        "last_paid_on | date | ",
    ),
    "What reached a household in W, by scheme, against what was awarded.",
    readers=READERS,
    since=SINCE,
)
MEDICAL_LEDGER = View(
    "medical_ledger",
    ("area_code", "population"),
    columns(
        AREA_CODE,
        "population | text | everybody; lifted; monitored; assisted; a group of special_group",
        "persons | integer | with a settlement in W",
        "inpatient_times | integer | stays in hospital",
        *(
            f"{name} | numeric(18,2) | yuan{meaning}"
            for name, meaning in (
                ("total_fee", ""),
                ("in_scope", ", within the insurance's scope"),
                ("pooled_paid", ", basic insurance"),
                ("critical_illness_paid", ", critical illness insurance"),
                ("medical_aid_paid", ", medical aid"),
                ("personal_paid", ""),
                ("fund_paid", ", all funds"),
                ("inpatient_fund_paid", ", all funds, for stays in hospital"),
                ("inpatient_in_scope", ", of stays in hospital"),
            )
        ),
        "in_scope_rate | numeric(12,4) | inpatient_fund_paid / inpatient_in_scope",
    ),
    "What treatment cost in W and who paid, by population and area.",
    readers=READERS_OF_COUNTS,
    since=SINCE,
)
ZERO_EMPLOYMENT = View(
    "zero_employment",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "able_members | integer | who could work, by age, school and labour class",
        "is_relocated | boolean | moved by the relocation programme",
        "since | date | first day without a break",
    ),
    "Relocated, lifted or monitored households with able members and nobody working (零就业家庭).",
    readers=READERS,
    since=SINCE,
)
SPECIAL_GROUP = View(
    "special_group",
    ("household_id", "group_code"),
    columns(
        HOUSEHOLD_ID,
        "group_code | text | of the rules' groups",
        "members | integer | who belong to it",
    ),
    "Households of the special groups that the rules name (特殊群体).",
    readers=READERS,
    since=SINCE,
)
ASSET_LEDGER = View(
    "asset_ledger",
    ("area_code", "category"),
    columns(
        AREA_CODE,
        "category | text | operating (经营性); public (公益性); household (到户); all",
        "assets | integer | cards of the state, disposed ones too",
        "original_value | numeric(18,2) | yuan",
        "without_owner | integer | whose rights are not settled",
        "transfer_overdue | integer | accepted longer ago than the rules allow, not transferred",
        "idle | integer | ",
        "annual_income | numeric(18,2) | yuan, last 12 months",
        "distributed | numeric(18,2) | yuan, dividends of the second round in W",
        "households | integer | that got any dividend in W",
    ),
    "Assets of the projects (扶贫项目资产) by area and category, and what was handed on.",
    readers=READERS_OF_COUNTS,
    since=SINCE,
)
RELAPSE = View(
    "relapse",
    ("household_id", "cleared_on"),
    columns(
        HOUSEHOLD_ID,
        "cleared_on | date | the day on which a case was cleared",
        "red_on | date | first red lamp by score, or new case, after it",
        "days | integer | from the one to the other",
    ),
    "Households that came back within a year after they were cleared (返贫).",
    readers=READERS,
    since=SINCE,
)
WATCH = View(
    "watch",
    ("household_id",),
    columns(
        HOUSEHOLD_ID,
        "cleared_on | date | the newest day on which a case was cleared",
        "until | date | the last day on the list",
    ),
    "Households that were cleared not long ago: watched whatever their score.",
    readers=READERS,
    since=SINCE,
)

SUPPORT = (
    RESPONSIBILITY,
    RESPONSIBILITY_GAP,
    VISIT_COVERAGE,
    MEASURE_GAP,
    SUPPORT_RECEIVED,
    MEDICAL_LEDGER,
    ZERO_EMPLOYMENT,
    SPECIAL_GROUP,
    ASSET_LEDGER,
    RELAPSE,
    WATCH,
)
