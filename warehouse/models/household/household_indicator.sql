-- The 72 indicators of each household, how many of them are known, and which are not and why.
{% from "indicators/exact.jinja" import ratio %}
{% macro codes(status) -%}
concat_ws(','{% for i in indicators %}, case when {{ i.status }} = '{{ status }}' then '{{ i.code }}' end{% endfor %})
{%- endmacro %}
{% macro as_list(text) -%}
case when {{ text }} = '' then cast([] as varchar[]) else string_split({{ text }}, ',') end
{%- endmacro %}
with counted as (
    select
        *,
        {% for i in indicators %}{{ " + " if not loop.first }}case when {{ i.status }} in ('ok', 'not_applicable') then 1 else 0 end{% endfor %} as known_count,
        {{ codes("missing") }} as missing_codes,
        {{ codes("stale") }} as stale_codes,
        {{ codes("not_applicable") }} as not_applicable_codes
    from indicator_state
)
select
    household_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
{% for i in indicators %}
    {{ i.column }},
{% endfor %}
    cast({{ ratio("known_count", indicators | length) }} as decimal(5,4)) as coverage,
    {{ as_list("missing_codes") }} as missing,
    {{ as_list("stale_codes") }} as stale,
    {{ as_list("not_applicable_codes") }} as not_applicable
from counted
