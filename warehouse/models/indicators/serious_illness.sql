{#-
Serious illnesses of active members, and which are under treatment.

table: serious_illness
grain: record
key: record_id
same day: active_member, matched_health_commission__serious_illnesses
parameters: as_of
records: serious_illnesses
counted by: R07 where is_treated
changes on: matched_health_commission__serious_illnesses.diagnosed_on at day
-#}
select
    m.household_id,
    s.member_id,
    s.record_id,
    s.diagnosed_on,
    s.status = '1' and s.diagnosed_on <= {{ as_of }} as is_treated,
    s._arrived_on
from matched_health_commission__serious_illnesses as s
inner join active_member as m on m.member_id = s.member_id
where s.outcome = 'linked'
