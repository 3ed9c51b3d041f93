{#-
Relief lists in force on the day, of the household of any member.

table: relief_in_force
grain: record
key: record_id
same day: any_member, matched_emergency_management__relief
parameters: as_of
records: relief
counted by: R26
changes on: matched_emergency_management__relief.listed_on at day,
    matched_emergency_management__relief.ended_on at end
-#}
select m.household_id, r.record_id, r.season, r.listed_on, r._arrived_on
from matched_emergency_management__relief as r
inner join any_member as m on m.member_id = r.member_id
where r.outcome = 'linked' and r.listed_on <= {{ as_of }}
    and (r.ended_on is null or r.ended_on >= {{ as_of }})
