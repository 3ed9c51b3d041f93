{#-
The stored value of each indicator, a row per household, with the codes of those that have none or
an old one, in the order of the catalogue, and the other inputs of the conditions. In this order:
missing (a source never read), missing or not applicable by the formula, stale, ok: a value of the
last two is kept. Without an active member: B01 is 0, everything else not applicable. In a shell,
what reads the register's household row is missing, whatever else is known.

table: indicator_state
grain: household
key: household_id
same day: indicators_assistance, indicators_basic, indicators_disability, indicators_disaster,
    indicators_education, indicators_employment, indicators_housing, indicators_income,
    indicators_medical, indicators_resilience, register_household
asked: source_state
parameters: domain_models, indicators
-#}
{% macro codes(status) -%}
concat_ws(
    ','{% for i in indicators %}{% if i.when(status) == "true" %},
    '{{ i.code }}'{% elif i.when(status) != "false" %},
    case when {{ i.when(status) }} then '{{ i.code }}' end{% endif %}{% endfor %},
    cast(null as varchar)
)
{%- endmacro %}
{% set size, others = indicators[0], indicators[1:] %}
select
    r.household_id,
    r.area_code,
    r.active_count,
{% for i in indicators %}
    case
        when {{ i.has_value }}{% if i != size %} and r.active_count > 0{% endif %}
            then cast({{ i.formula }} as {{ i.sql_type }})
    end as {{ i.column }},
{% endfor %}
    case
        when r.active_count = 0 then '{{ size.code if size.source_state == "missing" }}'
        else {{ codes("missing") }}
    end as missing_codes,
    case
        when r.active_count = 0 then '{{ size.code if size.source_state == "stale" }}'
        else {{ codes("stale") }}
    end as stale_codes,
    case
        when r.active_count = 0 then '{{ others | join(",", attribute="code") }}'
        else {{ codes("not_applicable") }}
    end as not_applicable_codes,
    medical._medical_threshold,
    employment._previous_business_net,
    resilience._days_since_visit
from register_household as r
{% for domain in domain_models %}
left join indicators_{{ domain }} as {{ domain }} on {{ domain }}.household_id = r.household_id
{% endfor %}
