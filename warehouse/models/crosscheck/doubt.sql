{#-
Households that a rule leaves out: one of their members is a candidate of a waiting record of one
of its sources, or an active member's number is in conflict and it reads more than households and
cases.

table: crosscheck_doubt
grain: household
key: household_id, code
same day: crosscheck_active, crosscheck_waiting
reference: crosscheck_rule, crosscheck_source
-#}
select w.household_id, s.code
from crosscheck_waiting as w
inner join crosscheck_source as s on s.records = w.records
where w.household_id is not null
union
select m.household_id, r.code
from crosscheck_active as m
cross join crosscheck_rule as r
where m.has_conflict and r.reads_more
