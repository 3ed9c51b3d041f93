{#-
X45 重复参保: insured twice in the year.

table: crosscheck_x45
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, matched_health_insurance__enrolments
parameters: as_of_year
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select m.household_id, m.member_id
    from crosscheck_active as m
    inner join matched_health_insurance__enrolments as e on e.member_id = m.member_id
    where e.outcome = 'linked' and e.status = '1' and e.year = {{ as_of_year }}
        and e.insurance_type in ('310', '390')
    group by m.household_id, m.member_id
    having count(distinct e.insurance_type) = 2
)
{{ of_member(
    "enrolments", "matched_health_insurance__enrolments",
    "r.outcome = 'linked' and r.status = '1' and r.insurance_type in ('310', '390')"
    ~ " and r.year = " ~ as_of_year
) }}
