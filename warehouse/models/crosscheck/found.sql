{#-
The rows of both sides of every contradiction that a rule finds today, without what is in doubt.

table: crosscheck_found
grain: record
key: code, household_id, member_id, records, record_id
same day: crosscheck_doubt, crosscheck_family_register, crosscheck_family_cases,
    crosscheck_family_cleared, crosscheck_family_grounds, crosscheck_family_assistance,
    crosscheck_family_deaths, crosscheck_family_housing, crosscheck_family_support,
    crosscheck_member, crosscheck_state
-#}
{% set families = (
    "register", "cases", "cleared", "grounds", "assistance", "deaths", "housing", "support"
) %}
with held as (
{% for family in families %}
    select code, household_id, member_id, records, record_id
    from crosscheck_family_{{ family }}
    {{ "union all" if not loop.last }}
{% endfor %}
)
select distinct h.code, h.household_id, h.member_id, h.records, h.record_id
from held as h
inner join crosscheck_state as s on s.code = h.code and s.state = 'ok'
left join crosscheck_doubt as d on d.code = h.code and d.household_id = h.household_id
left join crosscheck_member as m on m.member_id = h.member_id
where d.household_id is null and not coalesce(m.has_conflict, false)
