{#-
A row for each indicator that gave or took points: of values that are ok or stale, the first
condition that holds.

table: scored_point
grain: household
key: household_id, code
same day: indicator_state
reference: rule_line
parameters: scored
-#}
with met as (
{% for i in scored %}
    select
        household_id,
        '{{ i.code }}' as code,
        case
{% for line in i.lines %}
            when {{ line.sql }} then {{ line.number }}
{% endfor %}
        end as line,
        cast({{ i.column }} as varchar) as value,
        {{ i.note }} as note
    from indicator_state
    where active_count > 0 and {{ i.column }} is not null
        and ({% for line in i.lines %}{{ " or " if not loop.first }}({{ line.sql }}){% endfor %})
    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    m.household_id,
    m.code,
    l.domain,
    l.points,
    l.is_hard,
    m.value,
    concat(l.threshold, m.note) as threshold,
    l.department,
    l.records
from met as m
inner join rule_line as l on l.code = m.code and l.line = m.line
