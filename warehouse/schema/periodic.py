"""What the rhythms leave behind: tables with a row per period, not versioned by release,
and their views in `yihu`.

Belongs here: the declaration. Not here: how they are counted (`warehouse.periodic_reports`), the
tables (`tables`).
"""

from __future__ import annotations

from warehouse.schema.declared import HOUSEHOLD_ID, Exit, View, columns

AREA = ("area_code | text | a county or a town: 6 or 9 digits", "area_level | text | county; town")
COUNTED_ON = (
    "counted_on | date | the business day whose tables were counted: the newest of the period"
)

WEEKLY_STATISTICS = View(
    "weekly_statistics",
    ("week_on", "area_code"),
    columns(
        "week_on | date | the week's Monday",
        *AREA,
        COUNTED_ON,
        "compared_on | date | the newest business day before the week; null where there is none",
        "red | integer | households",
        "yellow | integer | households",
        "newly_red | integer | red now and not on compared_on",
        "no_longer_red | integer | red on compared_on and not now",
        "open_tasks | integer | follow-up tasks that are open",
        "opened_tasks | integer | opened in the week",
        "closed_tasks | integer | closed in the week",
        "overdue_tasks | integer | open and past their day",
        "visits_due | integer | red or monitored households without a visit in the days that the"
        " rules give (走访)",
        "chronic_overdue | integer | chronic diseases without a follow-up in the days that the"
        " rules give (慢病随访)",
    ),
    "Weekly statistics (周统计): lamps, tasks, visits and follow-ups per county and town.",
    exit=Exit(
        families={
            **dict.fromkeys(("red", "yellow"), "lamps"),
            **dict.fromkeys(("newly_red", "no_longer_red"), "weekly_statistics.change"),
            **dict.fromkeys(
                ("open_tasks", "opened_tasks", "closed_tasks"), "weekly_statistics.tasks"
            ),
        },
        derived=(
            ("weekly_statistics.change", "t.red - t.newly_red + t.no_longer_red"),
            ("weekly_statistics.tasks", "t.open_tasks - t.opened_tasks + t.closed_tasks"),
            ("weekly_statistics.overdue_tasks", "t.open_tasks - t.overdue_tasks"),
        ),
        follows={
            "weekly_statistics.change": "lamps",
            "weekly_statistics.overdue_tasks": "weekly_statistics.tasks",
        },
        on="counted_on",
    ),
)
MONTHLY_SCREENING = View(
    "monthly_screening",
    ("month_on", "household_id", "department", "code"),
    columns(
        "month_on | date | the first of the month",
        HOUSEHOLD_ID,
        "department | text | whose list it is",
        "code | text | the indicator whose threshold is passed",
        COUNTED_ON,
        "value | text | the indicator's value",
        "since | date | first day on the list without a break",
        "is_new | boolean | not on the list at the end of the month before",
    ),
    "Monthly screening (月筛查): every department's threshold list as it stood at the end of the"
    " month.",
    (("department",),),
    department="t.department",
)
INCOME_ACCOUNTING = View(
    "income_accounting",
    ("month_on", "area_code", "household_type"),
    columns(
        "month_on | date | the first of the month",
        *AREA,
        "household_type | text | 1 general; 2 lifted and entitled; 3 lifted and no longer"
        " entitled; all",
        COUNTED_ON,
        "compared_on | date | the last business day of the month before that is there; null where"
        " there is none",
        "households | integer | with a known net income",
        "persons | integer | their active members",
        "net_income | numeric(18,2) | yuan, last 12 months",
        "income_per_head | numeric(16,2) | yuan; null without persons",
        "previous_income_per_head | numeric(16,2) | yuan, at the end of the month before",
        "growth_rate | numeric(12,4) | against the month before",
        "county_growth_rate | numeric(12,4) | of the same type in the whole county",
        "growth_against_county | numeric(12,4) | growth_rate - county_growth_rate",
        "share_of_county | numeric(12,4) | income_per_head / the county's, of the same type",
    ),
    "Monthly accounting of incomes (月核算): per head by town and household type, and how it grew.",
    exit=Exit(
        families=dict.fromkeys(("households", "persons"), "income_accounting.people"),
        merged="household_type",
        on="counted_on",
        is_sparse=True,
    ),
)
QUARTERLY_SUPERVISION = View(
    "quarterly_supervision",
    ("quarter_on", "area_code", "department", "kind", "item"),
    columns(
        "quarter_on | date | the first day of the quarter",
        *AREA,
        "department | text | who is late",
        "kind | text | task; case",
        "item | text | the indicator behind the tasks, or the stage that the cases wait for",
        COUNTED_ON,
        "open_count | integer | open tasks, or cases that wait for the stage",
        "overdue_count | integer | of these past their day",
        "most_days_late | integer | calendar days; null where none is late",
    ),
    "Quarterly supervision (季督导): overdue tasks and cases, by who is late.",
    (("department",),),
    department="t.department",
    exit=Exit(
        not_counts=("most_days_late",),
        families=dict.fromkeys(("open_count", "overdue_count"), "quarterly_supervision.late"),
        on="counted_on",
        is_sparse=True,
    ),
)

FLAG_ACCURACY = View(
    "flag_accuracy",
    ("quarter_on", "area_code", "dimension", "value"),
    columns(
        "quarter_on | date | the first day of the quarter in which the visits were",
        *AREA,
        "dimension | text | all; rule; household_type; threshold",
        "value | text | the indicator, the type, or the score above which a lamp would be red; all",
        COUNTED_ON,
        "visited | integer | visits with a result, of households that had a lamp then",
        "flagged | integer | of these red on the day of the visit; for a threshold: with a score"
        " above it",
        "confirmed | integer | flagged, and the risk was there",
        "false_alarms | integer | flagged, and it was not",
        "missed | integer | not flagged, and a risk was there",
        "false_alarm_rate | numeric(5,4) | false_alarms / flagged",
        "miss_rate | numeric(5,4) | missed / (confirmed + missed)",
        "red_households | integer | households red on counted_on; for a threshold: with a score"
        " above it; null for a rule",
    ),
    "What visits found (入户核查): false alarms and misses per town, rule and household type, and a"
    " curve over thresholds.",
    exit=Exit(
        families={
            **dict.fromkeys(
                ("visited", "flagged", "confirmed", "false_alarms", "missed"),
                "flag_accuracy.visits",
            ),
            "red_households:all": "lamps",
        },
        follows={"flag_accuracy.red_households": "lamps"},
        by="dimension",
        merged="value",
        places_only=True,
        on="counted_on",
        is_sparse=True,
    ),
)

PERIODIC = (
    WEEKLY_STATISTICS,
    MONTHLY_SCREENING,
    INCOME_ACCOUNTING,
    QUARTERLY_SUPERVISION,
    FLAG_ACCURACY,
)
