{#-
A task for each red household, where the rules say so each monitored one too, and each risk
indicator that gave it points. It keeps its id and its
words from day to day, and is closed on the day on which its reason is gone: seen to give no points.
What cannot be seen closes nothing, and while a lamp is held, what made it red stays open.

table: follow_up_task
kept: flags
publishes: follow_up_task
grain: household
key: task_id
order: task_id
same day: household_indicator, warning_flag, warning_reason
earlier day: follow_up_task as previous_follow_up_task
reference: task_rule
parameters: as_of, as_of_digits, due_on, kept_since, monitored_have_tasks
laid over: household_id
changes on: follow_up_task.closed_on at task
-#}
with risk as (
    select household_id, code
    from warning_reason
    where substr(code, 1, 1) = 'R' and points > 0
),
lamp as (
    select
        f.household_id,
        f.area_code,
        f.level,
        i.missing,
        coalesce(i.b11_monitor_class <> '0', false) as is_monitored,
        case when f.is_held then f._red_codes else cast([] as varchar[]) end as held_by
    from warning_flag as f
    left join household_indicator as i on i.household_id = f.household_id
),
before as (
    select
        b.task_id,
        b.household_id,
        coalesce(p.area_code, b.area_code) as area_code,
        b.need,
        b.department,
        b.task,
        b.code,
        b.opened_on,
        b.due_on,
        case
            when b.closed_on is not null then b.closed_on
            when r.code is not null then null
            when list_contains(p.missing, b.code) or list_contains(p.held_by, b.code) then null
            else {{ as_of }}
        end as closed_on
    from previous_follow_up_task as b
    left join lamp as p on p.household_id = b.household_id
    left join risk as r on r.household_id = b.household_id and r.code = b.code
    where b.closed_on is null or b.closed_on >= {{ kept_since }}
),
opened as (
    select
        concat(r.household_id, '-', r.code, '-{{ as_of_digits }}') as task_id,
        r.household_id,
        p.area_code,
        k.need,
        k.department,
        k.task,
        r.code,
        {{ as_of }} as opened_on,
        {{ due_on }} as due_on,
        cast(null as date) as closed_on
    from risk as r
    inner join lamp as p
        on p.household_id = r.household_id
            and (p.level = 'red' or (p.is_monitored and {{ monitored_have_tasks }}))
    inner join task_rule as k on k.code = r.code
    left join before as b
        on b.household_id = r.household_id and b.code = r.code and b.closed_on is null
    where b.task_id is null
),
task as (
    select * from before
    union all
    select * from opened
)
select
    task_id,
    household_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
    need,
    department,
    task,
    code,
    opened_on,
    due_on,
    closed_on
from task
