{#-
The state of each source that the indicators ask of: `missing` was never read, `stale` is older than
its contract allows, else `ok`. `state` says first what an operator has to know, that an extract was
rejected; how old the source is, its age decides.

table: source_state
grain: all
key: records
as: view
same day: source_status
parameters: allowed_ages
-#}
select
    records,
    case
        when state in ('missing', 'stale', 'ok') then state
        when age_days is null then 'missing'
{% for department, source, days in allowed_ages %}
        when department = '{{ department }}' and records = '{{ source }}' and age_days > {{ days }}
            then 'stale'
{% endfor %}
        else 'ok'
    end as state
from source_status
