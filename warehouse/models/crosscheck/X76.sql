{#-
X76 措施数不一致: the register counts other measures than there are in force.

table: crosscheck_x76
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, measure_in_force
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with counted as (
    select household_id, count(*) as measures
    from measure_in_force
    group by household_id
),
held as (
    select h.household_id
    from crosscheck_home as h
    left join counted as c on c.household_id = h.household_id
    where h.measures_count <> coalesce(c.measures, 0)
)
{{ the_household() }}
union all
{{ of("measures", "measure_in_force") }}
