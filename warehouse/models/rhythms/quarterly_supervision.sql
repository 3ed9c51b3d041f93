{#-
Quarterly supervision (季督导): open tasks and waiting cases, how many are past their day, and by how
much; by who is late.

table: quarterly_supervision
publishes: quarterly_supervision
grain: all
key: quarter_on, area_code, department, kind, item
same day: case_progress, follow_up_task, household_place
parameters: as_of, deadlines, period_on
-#}
with task as (
    select
        substr(coalesce(p.village, t.area_code), 1, 9) as town,
        t.department,
        'task' as kind,
        t.code as item,
        cast(date_diff('day', t.due_on, {{ as_of }}) as integer) as days_late
    from follow_up_task as t
    left join household_place as p on p.household_id = t.household_id
    where t.closed_on is null
),
waiting as (
{% for d in deadlines %}
    select
        substr(coalesce(p.village, c.area_code), 1, 9) as town,
        'monitoring' as department,
        'case' as kind,
        '{{ d.stage }}' as item,
        cast(
            date_diff('day', c.{{ d.after }}_on, {{ as_of }}) - {{ d.days }} as integer
        ) as days_late
    from case_progress as c
    left join household_place as p on p.household_id = c.household_id
    where c.stage < {{ d.number }} and c.{{ d.after }}_on <= {{ as_of }}
    {{ "union all" if not loop.last }}
{% endfor %}
),
open_item as (
    select * from task
    {% if deadlines %}union all
    select * from waiting{% endif %}

),
levelled as (
    select town as area_code, 'town' as area_level, department, kind, item, days_late
    from open_item
    where town is not null
    union all
    select
        substr(town, 1, 6) as area_code,
        'county' as area_level,
        department,
        kind,
        item,
        days_late
    from open_item
    where town is not null
)
select
    {{ period_on }} as quarter_on,
    area_code,
    case when area_level = 'town' then area_code end as town_code,
    area_level,
    department,
    kind,
    item,
    {{ as_of }} as counted_on,
    cast(count(*) as integer) as open_count,
    cast(count(*) filter (where days_late > 0) as integer) as overdue_count,
    max(case when days_late > 0 then days_late end) as most_days_late
from levelled
group by area_code, area_level, department, kind, item
