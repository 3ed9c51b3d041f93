{#-
The year's enrolments of active members with a known ID number.

table: enrolment_record
grain: record
key: record_id
as: view
same day: enrolment_of_year, known_enrolment
records: enrolments
counted by: R06 where not is_insured, S08 where is_insuring
-#}
select
    k.household_id,
    e.record_id,
    k.is_insured,
    k.is_insured and e.insures as is_insuring,
    e._arrived_on
from enrolment_of_year as e
inner join known_enrolment as k on k.member_id = e.member_id
