{#-
X52 保障人数多于家庭人口: dibao for more persons than there are.

table: crosscheck_x52
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, scheme_in_force
-#}
{% from "crosscheck/rows.jinja" import named, the_household %}
with held as (
    select h.household_id, a.record_id as assistance_id
    from crosscheck_home as h
    inner join scheme_in_force as a on a.household_id = h.household_id
    where a.is_dibao and a.insured_persons > h.b01_household_size
)
{{ named("assistance", "assistance_id") }}
union all
{{ the_household() }}
