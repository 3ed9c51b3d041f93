{#-
Assistance in force on the day, of the household of any member.

table: scheme_in_force
grain: record
key: record_id
same day: any_member, matched_civil_affairs__assistance
parameters: as_of
records: assistance
counted by: R04, R13 where is_dibao, R27 where is_edge_or_rigid, R28 where is_edge_or_rigid,
    S06 where is_dibao_or_tekun, S10 where is_dibao
changes on: matched_civil_affairs__assistance.started_on at day,
    matched_civil_affairs__assistance.ended_on at end
-#}
select
    m.household_id,
    a.member_id,
    a.record_id,
    a.scheme,
    a.insured_persons,
    a.scheme = 'dibao' as is_dibao,
    a.scheme in ('dibao', 'tekun') as is_dibao_or_tekun,
    a.scheme in ('edge', 'rigid') as is_edge_or_rigid,
    a._arrived_on
from matched_civil_affairs__assistance as a
inner join any_member as m on m.member_id = a.member_id
where a.outcome = 'linked' and a.started_on <= {{ as_of }}
    and (a.ended_on is null or a.ended_on >= {{ as_of }})
