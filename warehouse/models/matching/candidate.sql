-- Everybody whom an open pair may be about, and by which rule. The first four rules decide, the last two only propose.
with held as (
    select p.pair_id, s.member_id, 'holder' as rule
    from open_pair as p
    inner join spine as s on s.number = p.number
    where p.is_sound and s.is_holder
),
claimed as (
    select p.pair_id, s.member_id, 'claimant' as rule
    from open_pair as p
    inner join spine as s on s.number = p.number
    where p.is_sound and s.is_conflict
),
formerly as (
    select p.pair_id, k.member_id, case when k.person_count = 1 then 'former' else 'former_tie' end as rule
    from open_pair as p
    inner join known_number as k on k.number_hash = p.number_hash
    where p.is_sound and not p.is_clipped
),
mended as (
    select pair_id, {{ ids.look_alike_mended("number") }} as number from open_pair where is_repairable
    union all
    select p.pair_id, {{ ids.swapped("p.number", "i.position") }}
    from open_pair as p
    cross join (values {% for i in range(1, 18) %}({{ i }}){{ ", " if not loop.last }}{% endfor %}) as i (position)
    where p.is_repairable
),
repaired as (
    select distinct m.pair_id, s.member_id, 'repair' as rule
    from mended as m
    inner join spine as s on s.number = m.number
    where s.is_holder or s.is_conflict
),
alike as (
    select p.pair_id, s.member_id, 'born_and_named' as rule
    from open_pair as p
    inner join spine as s on s.birth_digits = p.birth_digits and s.name_key = p.name_key
    where p.name_key <> '' and (s.is_holder or s.is_conflict)
    union
    select p.pair_id, s.member_id, 'born_and_named'
    from open_pair as p
    inner join spine as s on s.birth_digits = p.birth_digits
    where p.name_gap <> p.name_key and {{ names.agreement("p", "s") }} = 'same' and (s.is_holder or s.is_conflict)
    union
    select p.pair_id, s.member_id, 'born_and_named'
    from open_pair as p
    inner join spine as s on s.birth_digits = p.birth_digits
    where s.name_gap <> s.name_key and {{ names.agreement("p", "s") }} = 'same' and (s.is_holder or s.is_conflict)
),
near as (
    select p.pair_id, s.member_id, 'one_digit_off' as rule
    from open_pair as p
    inner join spine as s on s.outer_digits = p.outer_digits
    where length(p.number) = 18
        and {% for i in range(7, 15) %}case when substr(p.number, {{ i }}, 1) = substr(s.number, {{ i }}, 1) then 0 else 1 end{{ " + " if not loop.last }}{% endfor %} = 1
        and {{ names.agreement("p", "s") }} = 'same' and (s.is_holder or s.is_conflict)
),
everybody as (
    select pair_id, member_id, rule from held
    union all
    select pair_id, member_id, rule from claimed
    union all
    select pair_id, member_id, rule from formerly
    union all
    select pair_id, member_id, rule from repaired
    union all
    select pair_id, member_id, rule from alike
    union all
    select pair_id, member_id, rule from near
)
select
    e.pair_id,
    e.member_id,
    e.rule,
    s.person_key,
    {{ names.agreement("p", "s") }} as name_agreement
from everybody as e
inner join open_pair as p on p.pair_id = e.pair_id
inner join spine as s on s.member_id = e.member_id
