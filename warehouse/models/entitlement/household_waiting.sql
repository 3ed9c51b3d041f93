{#-
Which types of record wait with each household as a candidate.

table: entitlement_household_waiting
grain: household
key: household_id
same day: waiting_record
-#}
{% set types = (
    "casualties", "deaths", "losses", "payments", "relief", "retrofits", "temporary_aid"
) %}
select
    household_id,
{% for type in types %}
    count(*) filter (where records = '{{ type }}') > 0 as {{ type }}{{ "," if not loop.last }}
{% endfor %}
from waiting_record
where household_id is not null
group by household_id
