{#-
Chronic diseases of active members; a gap where unsigned, never followed up, or not for too long.

table: chronic_followup
grain: record
key: record_id
same day: active_member, matched_health_commission__chronic_followups
parameters: as_of, chronic_followup_days
records: chronic_followups
counted by: R08 where has_gap, R10 where is_severe_mental, S11
changes on: matched_health_commission__chronic_followups.last_followup_on at followup
-#}
select
    m.household_id,
    f.member_id,
    f.record_id,
    f.disease,
    f.disease = 'severe_mental' as is_severe_mental,
    f.signed,
    not f.signed
        or f.last_followup_on is null
        or date_diff('day', f.last_followup_on, {{ as_of }}) > {{ chronic_followup_days }}
        as has_gap,
    f._arrived_on
from matched_health_commission__chronic_followups as f
inner join active_member as m on m.member_id = f.member_id
where f.outcome = 'linked'
