{#-
Cases of households with an active member that were discovered up to the day, as far as the day
knows them.

table: past_case
grain: record
key: record_id
same day: matched_monitoring__cases, support_household
parameters: as_of
-#}
select
    c.record_id,
    c.household_id,
    c.discovered_on,
    case when c.cleared_on <= {{ as_of }} then c.cleared_on end as cleared_on,
    coalesce(c.rejected_on <= {{ as_of }}, false) as is_rejected
from matched_monitoring__cases as c
inner join support_household as h on h.household_id = c.household_id
where c.outcome = 'linked' and c.discovered_on <= {{ as_of }}
