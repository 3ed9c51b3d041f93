{#-
Assistance that ended within some days after its household was on a list: counted for the auditor,
since a contradiction is no reason to stop anything.

table: stopped_after_listing
kept: flags
grain: all
key: code, area_code, month
order: code, area_code, month
same day: contradiction_list, matched_civil_affairs__assistance
parameters: as_of, stopped_days, window_start
-#}
with ended as (
    select household_id, record_id, ended_on
    from matched_civil_affairs__assistance
    where outcome = 'linked' and ended_on > {{ window_start }} and ended_on <= {{ as_of }}
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
