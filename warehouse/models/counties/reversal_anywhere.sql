{#-
Reversals of settlements, whoever they name: each counts with its original.

table: reversal_anywhere
grain: record
key: record_id
same day: matched_health_insurance__settlements
-#}
select *
from matched_health_insurance__settlements
where reverses_id is not null
