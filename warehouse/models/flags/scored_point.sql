-- A row for each indicator that gave or took points.
with met as (
{% for i in scored %}
    select
        p.household_id,
        '{{ i.code }}' as code,
        p.{{ i.line }} as line,
        cast(s.{{ i.column }} as varchar) as value,
        {{ i.note }} as note
    from indicator_points as p
    inner join indicator_state as s on s.household_id = p.household_id
    where p.{{ i.line }} is not null
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
