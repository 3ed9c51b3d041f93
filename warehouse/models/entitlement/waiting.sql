{#-
Which types of record wait with each household, and with each member, as a candidate.

table: entitlement_waiting
grain: member
key: household_id, member_id
same day: waiting_record
-#}
{% set types = (
    "assistance", "casualties", "certificates", "deaths", "disability_subsidies", "enrolments",
    "losses", "relief", "retrofits", "settlements", "student_aid", "temporary_aid"
) %}
select
    household_id,
    member_id,
{% for type in types %}
    count(*) filter (where records = '{{ type }}') > 0 as {{ type }}{{ "," if not loop.last }}
{% endfor %}
from waiting_record
group by household_id, member_id
