{#-
X64 申请人死亡待变更: assistance whose applicant died and whose household lives on: a new
applicant is to be named.

table: crosscheck_x64
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, crosscheck_member, linked_death, scheme_in_force
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, of_member %}
with held as (
    select m.household_id, m.member_id, a.record_id as assistance_id
    from scheme_in_force as a
    inner join crosscheck_member as m on m.member_id = a.member_id
    left join crosscheck_home as h on h.household_id = m.household_id
    where date_diff('day', m.died_on, {{ as_of }}) > {{ crosscheck.X64.grace_days }}
        and coalesce(a.insured_persons, 0) <> 1 and h.household_id is not null
)
{{ named_of_member("assistance", "assistance_id") }}
union all
{{ of_member("deaths", "linked_death") }}
