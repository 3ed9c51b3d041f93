{#-
How often each rule was right, per county and town: of the contradictions that were open on a day of
the last 12 months, how many have a verdict, how many were confirmed, with the Wilson interval. A
rule that waits for a steward counts once it is opened.

table: contradiction_accuracy
kept: flags
publishes: contradiction_accuracy
grain: all
key: area_code, code
order: area_code, code
same day: contradiction_draw, contradiction_span, crosscheck_listing, crosscheck_verdict,
    household_place
reference: crosscheck_rule
parameters: rest, window_start, z, z2
-#}
{#- An end of the Wilson interval, to four places. -#}
{% macro bound(confirmed, checked, sign) -%}
case when {{ checked }} > 0 then cast(cast(floor(
    cast(
        2 * {{ confirmed }} + {{ z2 }}
        {{ sign }} {{ z }} * sqrt(
            {{ z2 }}
            + cast(4 * {{ confirmed }} * ({{ checked }} - {{ confirmed }}) as double)
                / nullif({{ checked }}, 0)
        )
    as double) / nullif(2 * ({{ checked }} + {{ z2 }}), 0) * 10000 + 0.5
) as bigint) * 0.0001 as decimal(12,4)) end
{%- endmacro %}
{% from "indicators/exact.jinja" import ratio %}
with town as (
    select distinct substr(village, 1, 9) as code
    from household_place
    where is_in_county
),
area as (
    select code from town
    union
    select substr(code, 1, 6) as code from town
),
listed as (
    select
        s.contradiction_id,
        s.code,
        substr(coalesce(p.village, s.area_code), 1, 9) as town_code
    from contradiction_span as s
    inner join crosscheck_rule as r on r.code = s.code and r.version = s.version
    inner join crosscheck_listing as l on l.code = s.code and l.is_listed
    left join household_place as p on p.household_id = s.household_id
    where s.open_on > {{ window_start }}
),
drawn as (
    select distinct contradiction_id
    from contradiction_draw
    where length(period) = 7 and substr(period, 6, 1) = 'Q'
),
answered as (
    select
        l.code,
        l.town_code,
        v.verdict is not null as is_checked,
        coalesce(v.verdict = 'confirmed', false) as is_confirmed,
        d.contradiction_id is not null as is_drawn
    from listed as l
    left join crosscheck_verdict as v on v.contradiction_id = l.contradiction_id
    left join drawn as d on d.contradiction_id = l.contradiction_id
),
placed as (
    select town_code as area_code, * from answered
    union all
    select substr(town_code, 1, 6) as area_code, * from answered
),
counted as (
    select
        a.code as area_code,
        r.code,
        count(p.code) as listed,
        count(*) filter (where p.is_checked) as checked,
        count(*) filter (where p.is_confirmed) as confirmed,
        count(*) filter (where p.is_drawn) as drawn,
        count(*) filter (where p.is_drawn and p.is_checked) as drawn_checked,
        count(*) filter (where p.is_drawn and p.is_confirmed) as drawn_confirmed
    from area as a
    cross join crosscheck_rule as r
    left join placed as p on p.area_code = a.code and p.code = r.code
    group by a.code, r.code
),
bounded as (
    select
        *,
        {{ ratio("confirmed", "checked") }} as precision,
        {{ bound("confirmed", "checked", "-") }} as precision_low,
        {{ bound("confirmed", "checked", "+") }} as precision_high
    from counted
)
select
    area_code,
    case when length(area_code) = 9 then area_code end as town_code,
    code,
    cast(listed as integer) as listed,
    cast(checked as integer) as checked,
    cast(confirmed as integer) as confirmed,
    precision,
    precision_low,
    precision_high,
    coalesce(checked >= {{ rest.verdicts }} and precision_high < {{ rest.floor }}, false)
        as is_resting,
    cast(drawn as integer) as _drawn,
    cast(drawn_checked as integer) as _drawn_checked,
    cast(drawn_confirmed as integer) as _drawn_confirmed,
    {{ bound("drawn_confirmed", "drawn_checked", "-") }} as _drawn_low,
    {{ bound("drawn_confirmed", "drawn_checked", "+") }} as _drawn_high
from bounded
