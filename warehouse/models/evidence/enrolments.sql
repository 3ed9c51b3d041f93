{#-
S08: the enrolments that insure; R06: those of the uninsured that do not.

table: evidence_enrolments
grain: record
key: household_id, code, record_id
as: view
same day: known_enrolment, matched_health_insurance__enrolments, scored_point
parameters: enrolment_years
-#}
select p.household_id, p.code, 'enrolments' as records, e.record_id, e._arrived_on
from scored_point as p
inner join known_enrolment as k on k.household_id = p.household_id
inner join matched_health_insurance__enrolments as e on e.member_id = k.member_id
where e.outcome = 'linked' and e.year in ({{ enrolment_years }})
    and (
        (p.code = 'S08' and k.is_insured and e.status = '1')
        or (p.code = 'R06' and not k.is_insured)
    )
