-- The stored value and the status of each indicator, a row per household, with the other inputs of the conditions.
-- In this order: missing (a source never read), missing or not applicable by the formula, stale, ok.
-- Without an active member: B01 is 0, everything else not applicable.
with formula as (
    select
        r.household_id,
        r.area_code,
        r.active_count,
{% for i in indicators %}
        {{ i.alias }}.{{ i.column }} as {{ i.column }}_formula,
{% if i.code == "B01" %}
        '{{ i.source_state }}' as b01_status,
{% elif i.source_state == "missing" %}
        case when r.active_count = 0 then 'not_applicable' else 'missing' end as {{ i.status }},
{% else %}
        case
            when r.active_count = 0 then 'not_applicable'
{% if i.formula_state %}
            when {{ i.alias }}.{{ i.formula_state }} <> 'ok' then {{ i.alias }}.{{ i.formula_state }}
{% endif %}
            when {{ i.alias }}.{{ i.column }} is null then 'missing'
            else '{{ i.source_state }}'
        end as {{ i.status }},
{% endif %}
{% endfor %}
        medical._medical_threshold,
        employment._previous_business_net,
        resilience._days_since_visit
    from register_household as r
{% for domain in domains %}
    left join indicators_{{ domain }} as {{ domain }} on {{ domain }}.household_id = r.household_id
{% endfor %}
)
select
    household_id,
    area_code,
    active_count,
{% for i in indicators %}
    case when {{ i.status }} in ('ok', 'stale') then cast({{ i.column }}_formula as {{ i.sql_type }}) end as {{ i.column }},
    {{ i.status }},
{% endfor %}
    _medical_threshold,
    _previous_business_net,
    _days_since_visit
from formula
