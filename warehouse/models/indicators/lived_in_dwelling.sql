{#-
Occupied dwellings of any member, leaving out one whose retrofit finished on or after its
appraisal; which are of the worst grade, which are safe.

table: lived_in_dwelling
grain: record
key: record_id
same day: any_member, counted_retrofit, matched_housing__dwellings
parameters: as_of, appraised_since
records: dwellings
counted by: R14 where is_worst, S12
changes on: matched_housing__dwellings.appraised_on at day,
    matched_housing__dwellings.appraised_on at appraisal
-#}
with retrofitted as (
    select dwelling_id, max(finished_on) as finished_on
    from counted_retrofit
    where is_finished
    group by dwelling_id
),
dwelling as (
    select
        m.household_id,
        d.record_id,
        d.grade,
        d.grade in ('A', 'B') and d.appraised_on >= {{ appraised_since }} as is_safe,
        d._arrived_on
    from matched_housing__dwellings as d
    inner join any_member as m on m.member_id = d.member_id
    left join retrofitted as r on r.dwelling_id = d.record_id
    where d.outcome = 'linked' and d.occupied and d.appraised_on <= {{ as_of }}
        and (r.finished_on is null or r.finished_on < d.appraised_on)
),
worst as (
    select household_id, max(grade) as grade
    from dwelling
    group by household_id
)
select d.*, d.grade = w.grade as is_worst
from dwelling as d
inner join worst as w on w.household_id = d.household_id
