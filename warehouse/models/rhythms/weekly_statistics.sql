{#-
Weekly statistics (周统计) per county and town, as of the week's newest day, against the newest day
before the week.

table: weekly_statistics
publishes: weekly_statistics
grain: all
key: week_on, area_code
same day: active_member, follow_up_task, household_indicator, household_place,
    matched_health_commission__chronic_followups, matched_rural_revitalisation__households,
    warning_flag
earlier day: warning_flag as previous_warning_flag
parameters: as_of, chronic_days, compared_on, period_on, visit_days, weekly_counts
-#}
with earlier as (
    select count(*) > 0 as is_there
    from previous_warning_flag
),
lamp as (
    select
        coalesce(p.village, b.area_code) as village,
        f.level,
        b.level as earlier_level,
        p.household_id is not null and (f.level = 'red' or i.b11_monitor_class <> '0')
            and coalesce(
                date_diff('day', h.last_visit_on, {{ as_of }}) > {{ visit_days }}, true
            ) as is_visit_due
    from household_place as p
    inner join warning_flag as f on f.household_id = p.household_id
    left join household_indicator as i on i.household_id = p.household_id
    left join matched_rural_revitalisation__households as h on h.household_id = p.household_id
    full join previous_warning_flag as b on b.household_id = p.household_id
),
lamps as (
    select
        village,
        count(*) filter (where level = 'red') as red,
        count(*) filter (where level = 'yellow') as yellow,
        count(*) filter (
            where level = 'red' and coalesce(earlier_level, 'none') <> 'red' and is_there
        ) as newly_red,
        count(*) filter (
            where earlier_level = 'red' and coalesce(level, 'none') <> 'red'
        ) as no_longer_red,
        count(*) filter (where is_visit_due) as visits_due
    from lamp
    cross join earlier
    group by village
),
tasks as (
    select
        coalesce(p.village, t.area_code) as village,
        count(*) filter (where t.closed_on is null) as open_tasks,
        count(*) filter (where t.opened_on >= {{ period_on }}) as opened_tasks,
        count(*) filter (where t.closed_on >= {{ period_on }}) as closed_tasks,
        count(*) filter (where t.closed_on is null and t.due_on < {{ as_of }}) as overdue_tasks
    from follow_up_task as t
    left join household_place as p on p.household_id = t.household_id
    group by coalesce(p.village, t.area_code)
),
chronic as (
    select p.village, count(*) as chronic_overdue
    from matched_health_commission__chronic_followups as c
    inner join active_member as m on m.member_id = c.member_id
    inner join household_place as p on p.household_id = m.household_id
    where c.outcome = 'linked'
        and coalesce(date_diff('day', c.last_followup_on, {{ as_of }}) > {{ chronic_days }}, true)
    group by p.village
),
village as (
    select village from lamps
    union
    select village from tasks
),
counted as (
    select
        v.village,
        coalesce(l.red, 0) as red,
        coalesce(l.yellow, 0) as yellow,
        coalesce(l.newly_red, 0) as newly_red,
        coalesce(l.no_longer_red, 0) as no_longer_red,
        coalesce(t.open_tasks, 0) as open_tasks,
        coalesce(t.opened_tasks, 0) as opened_tasks,
        coalesce(t.closed_tasks, 0) as closed_tasks,
        coalesce(t.overdue_tasks, 0) as overdue_tasks,
        coalesce(l.visits_due, 0) as visits_due,
        coalesce(c.chronic_overdue, 0) as chronic_overdue
    from village as v
    left join lamps as l on l.village = v.village
    left join tasks as t on t.village = v.village
    left join chronic as c on c.village = v.village
    where v.village is not null
),
levelled as (
    select substr(village, 1, 6) as area_code, 'county' as area_level, * from counted
    union all
    select substr(village, 1, 9) as area_code, 'town' as area_level, * from counted
)
select
    {{ period_on }} as week_on,
    area_code,
    case when area_level = 'town' then area_code end as town_code,
    area_level,
    {{ as_of }} as counted_on,
    {{ compared_on }} as compared_on,
{% for column in weekly_counts %}
    cast(sum({{ column }}) as integer) as {{ column }}{{ "," if not loop.last }}
{% endfor %}
from levelled
group by area_code, area_level
