{#-
What visits found against the lamp on their day: false alarms and misses per town, rule and
household type, and as if lamps were red above other scores. Of households in a known town.

table: flag_accuracy
publishes: flag_accuracy
grain: all
key: quarter_on, area_code, dimension, value
same day: field_visit, household, warning_flag
several days: warning_flag as lamp_history, warning_reason as reason_history
parameters: as_of, period_on, thresholds
-#}
{% from "indicators/exact.jinja" import ratio %}
with visit as (
    select
        v.record_id,
        v.household_id,
        v.flag_on,
        substr(f.area_code, 1, 9) as town,
        h.household_type,
        f.score,
        f.level = 'red' as is_red,
        v.result <> 'not_confirmed' as is_risk
    from field_visit as v
    inner join lamp_history as f on f.household_id = v.household_id and f._as_of = v.flag_on
    left join household as h on h.household_id = v.household_id
    where f.level <> 'none' and right(f.area_code, 6) <> '000000'
),
cell as (
    select town, 'all' as dimension, 'all' as value, is_red as is_flagged, is_risk from visit
    union all
    select
        town,
        'household_type' as dimension,
        household_type as value,
        is_red as is_flagged,
        is_risk
    from visit
    where household_type is not null
    union all
    select v.town, 'rule' as dimension, r.code as value, v.is_red as is_flagged, v.is_risk
    from visit as v
    inner join reason_history as r on r.household_id = v.household_id and r._as_of = v.flag_on
    where substr(r.code, 1, 1) = 'R' and r.points > 0
{% for threshold in thresholds %}
    union all
    select
        town,
        'threshold' as dimension,
        '{{ threshold }}' as value,
        score > {{ threshold }} as is_flagged,
        is_risk
    from visit
{% endfor %}
),
lamp as (
    select substr(f.area_code, 1, 9) as town, h.household_type, f.score, f.level
    from warning_flag as f
    inner join household as h on h.household_id = f.household_id
    where f.level <> 'none' and right(f.area_code, 6) <> '000000'
),
red as (
    select town, 'all' as dimension, 'all' as value, count(*) as households
    from lamp
    where level = 'red'
    group by town
    union all
    select town, 'household_type' as dimension, household_type as value, count(*) as households
    from lamp
    where level = 'red' and household_type is not null group by town, household_type
{% for threshold in thresholds %}
    union all
    select town, 'threshold' as dimension, '{{ threshold }}' as value, count(*) as households
    from lamp
    where score > {{ threshold }}
    group by town
{% endfor %}
),
counted as (
    select
        town,
        dimension,
        value,
        count(*) as visited,
        count(*) filter (where is_flagged) as flagged,
        count(*) filter (where is_flagged and is_risk) as confirmed,
        count(*) filter (where is_flagged and not is_risk) as false_alarms,
        count(*) filter (where not is_flagged and is_risk) as missed,
        0 as households
    from cell
    group by town, dimension, value
    union all
    select town, dimension, value, 0, 0, 0, 0, 0, households
    from red
),
levelled as (
    select town as area_code, 'town' as area_level, * from counted
    union all
    select substr(town, 1, 6) as area_code, 'county' as area_level, * from counted
),
summed as (
    select
        area_code,
        area_level,
        dimension,
        value,
        sum(visited) as visited,
        sum(flagged) as flagged,
        sum(confirmed) as confirmed,
        sum(false_alarms) as false_alarms,
        sum(missed) as missed,
        sum(households) as households
    from levelled
    group by area_code, area_level, dimension, value
)
select
    {{ period_on }} as quarter_on,
    area_code,
    case when area_level = 'town' then area_code end as town_code,
    area_level,
    dimension,
    value,
    {{ as_of }} as counted_on,
    cast(visited as integer) as visited,
    cast(flagged as integer) as flagged,
    cast(confirmed as integer) as confirmed,
    cast(false_alarms as integer) as false_alarms,
    cast(missed as integer) as missed,
    cast({{ ratio("false_alarms", "flagged") }} as decimal(5,4)) as false_alarm_rate,
    cast({{ ratio("missed", "confirmed + missed") }} as decimal(5,4)) as miss_rate,
    case when dimension <> 'rule' then cast(households as integer) end as red_households
from summed
