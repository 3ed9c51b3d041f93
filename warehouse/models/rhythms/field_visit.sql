{#-
The period's visits, each with the newest day of lamps on or before it.

table: field_visit
grain: record
key: record_id
if there: matched_monitoring__field_results
parameters: as_of, flag_days, period_on
-#}
select
    v.record_id,
    v.household_id,
    v.visited_on,
    v.result,
    max(d.day) as flag_on
from matched_monitoring__field_results as v
inner join (values {{ flag_days }}) as d(day) on d.day <= v.visited_on
where v.outcome = 'linked' and v.visited_on >= {{ period_on }} and v.visited_on <= {{ as_of }}
group by v.record_id, v.household_id, v.visited_on, v.result
