{#-
Retrofits (危房改造), each of the household of its dwelling, or of its owner where the dwelling is not
known. An ambiguous one is nobody's; where what waits is not absent, it is its dwelling's too.
One that finishes after the day is not finished.

table: counted_retrofit
grain: record
key: record_id
same day: any_member, matched_housing__dwellings, matched_housing__retrofits
parameters: absence_is_undoubted, as_of, retrofit_days
records: retrofits
counted by: R15 where is_overdue, S13 where is_finished
changes on: matched_housing__retrofits.approved_on at day, matched_housing__retrofits.approved_on
    at retrofit, matched_housing__retrofits.finished_on at day
-#}
with dwelling as (
    select record_id, member_id
    from matched_housing__dwellings
    where outcome = 'linked'
),
retrofit as (
    select
        m.household_id,
        r.record_id,
        r.dwelling_id,
        r.approved_on,
        case when r.finished_on <= {{ as_of }} then r.finished_on end as finished_on,
        r._arrived_on
    from matched_housing__retrofits as r
    left join dwelling as d on d.record_id = r.dwelling_id
    inner join any_member as m
        on m.member_id = coalesce(d.member_id, case when r.outcome = 'linked' then r.member_id end)
    where r.approved_on <= {{ as_of }}
        and (r.outcome <> 'ambiguous' or ({{ absence_is_undoubted }} and d.record_id is not null))
)
select
    *,
    finished_on is not null as is_finished,
    finished_on is null
        and date_diff('day', approved_on, {{ as_of }}) > {{ retrofit_days }} as is_overdue
from retrofit
