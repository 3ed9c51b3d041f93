{#-
X58 改造后仍为危房: a dwelling that is dangerous after its retrofit.

table: crosscheck_x58
grain: record
key: household_id, member_id, records, record_id
as: view
same day: counted_retrofit, crosscheck_dwelling, crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import named, of %}
with held as (
    select distinct h.household_id, w.record_id as dwelling_id
    from crosscheck_home as h
    inner join crosscheck_dwelling as w on w.household_id = h.household_id
    inner join counted_retrofit as r on r.dwelling_id = w.record_id
    where w.occupied and w.grade in ('C', 'D') and r.is_finished and r.finished_on < w.appraised_on
)
{{ named("dwellings", "dwelling_id") }}
union all
{{ of("retrofits", "counted_retrofit", "r.is_finished and r.dwelling_id = h.dwelling_id") }}
