{#-
X61 死亡仍参保: insured for a year after that of the death.

table: crosscheck_x61
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death, matched_health_insurance__enrolments
parameters: as_of_year
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select distinct m.household_id, m.member_id
    from crosscheck_member as m
    inner join matched_health_insurance__enrolments as e on e.member_id = m.member_id
    where e.outcome = 'linked' and e.status = '1' and e.year = {{ as_of_year }}
        and year(m.died_on) < {{ as_of_year }}
)
{{ of_member(
    "enrolments", "matched_health_insurance__enrolments",
    "r.outcome = 'linked' and r.status = '1' and r.year = " ~ as_of_year
) }}
union all
{{ of_member("deaths", "linked_death") }}
