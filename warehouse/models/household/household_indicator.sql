{#-
The indicators of each household, how many of them are known, and which are not and why.

table: household_indicator
kept: household
publishes: household_indicator
grain: household
key: household_id
order: household_id
as: view
same day: indicator_state
parameters: catalogue
laid over: household_id
-#}
{% from "indicators/exact.jinja" import ratio %}
{#- A code is three characters, and a comma stands between two. -#}
{% macro how_many(codes) -%} (length({{ codes }}) + 1) // 4 {%- endmacro %}
{% macro as_list(codes) -%}
case
    when {{ codes }} = '' then cast([] as varchar[])
    else string_split({{ codes }}, ',')
end
{%- endmacro %}
with counted as (
    select
        *,
        {{ catalogue | length }} - {{ how_many("missing_codes") }}
            - {{ how_many("stale_codes") }} as known_count
    from indicator_state
)
select
    household_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
{% for i in catalogue %}
    {{ i.column }},
{% endfor %}
    cast({{ ratio("known_count", catalogue | length) }} as decimal(5,4)) as coverage,
    {{ as_list("missing_codes") }} as missing,
    {{ as_list("stale_codes") }} as stale,
    {{ as_list("not_applicable_codes") }} as not_applicable
from counted
