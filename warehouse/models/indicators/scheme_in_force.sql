{#-
Assistance in force on the day, of the household of any member.

table: scheme_in_force
grain: record
key: record_id
same day: any_member, matched_civil_affairs__assistance
parameters: as_of
-#}
select m.household_id, a.scheme, a.record_id, a._arrived_on
from matched_civil_affairs__assistance as a
inner join any_member as m on m.member_id = a.member_id
where a.outcome = 'linked' and a.started_on <= {{ as_of }} and (a.ended_on is null or a.ended_on >= {{ as_of }})
