{#-
X47 死亡仍享救助: assistance of an applicant who died, alone or the last of the household.

table: crosscheck_x47
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
    where date_diff('day', m.died_on, {{ as_of }}) > {{ crosscheck.X47.grace_days }}
        and (a.insured_persons = 1 or h.household_id is null)
)
{{ named_of_member("assistance", "assistance_id") }}
union all
{{ of_member("deaths", "linked_death") }}
