-- Which line of the rules each indicator meets: the first condition that holds, of values that are ok or stale.
select
    household_id
{% for i in scored %}
    , case when {{ i.status }} in ('ok', 'stale') then case
{% for line in i.lines %}
        when {{ line.sql }} then {{ line.number }}
{% endfor %}
    end end as {{ i.line }}
{% endfor %}
from indicator_state
where active_count > 0
