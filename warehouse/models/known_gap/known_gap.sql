{#-
What is not known (一户不落): the record types in which a household should have rows and has none.

table: known_gap
kept: flags
publishes: known_gap
grain: household
key: household_id, records
order: household_id, records
same day: household, known_gap_due
reference: gap_reason
-#}
select
    d.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    d.records,
    r.reason,
    r.department
from known_gap_due as d
inner join gap_reason as r on r.records = d.records
left join household as h on h.household_id = d.household_id
where not d.is_there
