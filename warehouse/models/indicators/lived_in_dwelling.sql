{#-
Occupied dwellings of any member, leaving out one whose retrofit finished on or after its appraisal.

table: lived_in_dwelling
grain: record
key: record_id
same day: any_member, counted_retrofit, matched_housing__dwellings
parameters: as_of
-#}
with retrofitted as (
    select dwelling_id, max(finished_on) as finished_on
    from counted_retrofit
    where finished_on is not null
    group by dwelling_id
)
select m.household_id, d.record_id, d.grade, d.appraised_on, d._arrived_on
from matched_housing__dwellings as d
inner join any_member as m on m.member_id = d.member_id
left join retrofitted as r on r.dwelling_id = d.record_id
where d.outcome = 'linked' and d.occupied and d.appraised_on <= {{ as_of }}
    and (r.finished_on is null or r.finished_on < d.appraised_on)
