{#-
X65 低保特困未参保: dibao or tekun, and somebody is not insured.

table: crosscheck_x65
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, known_enrolment, scheme_in_force
-#}
{% from "crosscheck/rows.jinja" import of %}
with held as (
    select household_id
    from crosscheck_home
    where is_on_dibao_or_tekun and r06_uninsured_count >= 1
)
{{ of("members", "known_enrolment", "not r.is_insured") }}
union all
{{ of("assistance", "scheme_in_force", "r.is_dibao_or_tekun") }}
