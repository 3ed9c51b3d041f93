{#-
The households on a department's list, whatever their score, with the first day on it without a
break.

table: verify_item
kept: flags
publishes: verify_item
grain: household
key: household_id, department, code
order: household_id, department, code
same day: indicator_state, severe_certificate
earlier day: verify_item as previous_verify_item
parameters: as_of, items
laid over: household_id
changes on: matched_disability_federation__certificates.issued_on at certificate
-#}
with recent_certificate as (
    -- The certificates that R11 counts, of each household the newest.
    select household_id, max(issued_on) as issued_on
    from severe_certificate
    group by household_id
),
listed as (
{% for item in items %}
    select
        s.household_id,
        s.area_code,
        '{{ item.department }}' as department,
        '{{ item.code }}' as code,
        cast(s.{{ item.column }} as varchar) as value
    from indicator_state as s
{% if item.issued_since %}
    inner join recent_certificate as c
        on c.household_id = s.household_id and c.issued_on >= {{ item.issued_since }}
{% endif %}
    where ({{ item.condition }})
    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    l.household_id,
    l.area_code,
    substr(l.area_code, 1, 9) as town_code,
    l.department,
    l.code,
    l.value,
    coalesce(b.since, {{ as_of }}) as since
from listed as l
left join previous_verify_item as b
    on b.household_id = l.household_id and b.department = l.department and b.code = l.code
