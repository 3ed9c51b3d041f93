{#-
Assistance that ended within some days after its household was on a list: counted for the auditor,
since a contradiction is no reason to stop anything.

table: stopped_after_listing
kept: flags
grain: all
key: code, area_code, month
order: code, area_code, month
same day: any_member, contradiction_list, matched_civil_affairs__assistance
parameters: as_of, stopped_days, window_start
-#}
with ended as (
    select m.household_id, a.record_id, a.ended_on
    from matched_civil_affairs__assistance as a
    inner join any_member as m on m.member_id = a.member_id
    where a.outcome = 'linked' and a.ended_on > {{ window_start }} and a.ended_on <= {{ as_of }}
),
stopped as (
    select distinct
        l.code,
        l.town_code,
        concat(cast(year(e.ended_on) as varchar), '-', right(
            concat('0', cast(month(e.ended_on) as varchar)), 2
        )) as month,
        e.record_id
    from contradiction_list as l
    inner join ended as e on e.household_id = l.household_id
    where e.ended_on >= l.listed_since
        and date_diff('day', l.listed_on, e.ended_on) <= {{ stopped_days }}
),
placed as (
    select code, town_code as area_code, month, record_id from stopped
    union all
    select code, substr(town_code, 1, 6) as area_code, month, record_id from stopped
)
select code, area_code, month, cast(count(distinct record_id) as integer) as count
from placed
where area_code is not null
group by code, area_code, month
