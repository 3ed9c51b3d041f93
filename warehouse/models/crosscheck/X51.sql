{#-
X51 低保特困重复: one applicant, two schemes.

table: crosscheck_x51
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, scheme_in_force
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select m.household_id, m.member_id
    from crosscheck_active as m
    inner join scheme_in_force as a on a.member_id = m.member_id
    group by m.household_id, m.member_id
    having count(distinct a.scheme) > 1
)
{{ of_member("assistance", "scheme_in_force") }}
