{#-
Enrolments in health insurance for the year of the day; in its first months the year before will
do.

table: enrolment_of_year
grain: record
key: record_id
as: view
same day: matched_health_insurance__enrolments
parameters: enrolment_years
-#}
select member_id, record_id, status = '1' as insures, _arrived_on
from matched_health_insurance__enrolments
where outcome = 'linked' and year in ({{ enrolment_years }})
