-- Everybody whom an open pair may be about, and by which rule. The first four rules decide, the last two only propose.
with mended as (
    select pair_id, {{ ids.look_alike_mended("number") }} as number from open_pair where is_repairable
    union all
    select p.pair_id, {{ ids.swapped("p.number", "i.position") }}
    from open_pair as p
    cross join (values {% for i in range(1, 18) %}({{ i }}){{ ", " if not loop.last }}{% endfor %}) as i (position)
    where p.is_repairable
),
-- One pass over everybody: who shares the digits that every rule but `former` asks for.
born_like as (
    select birth_digits from open_pair
    union
    select substr(number, 7, 8) from mended where number is not null
),
near as (
    select c.*
    from comparable as c
    where c.birth_digits in (select birth_digits from born_like) or c.outer_digits in (select outer_digits from open_pair)
),
held as (
    select p.pair_id, s.member_id, 'holder' as rule
    from open_pair as p
    inner join near as s on s.number = p.number
    where p.is_sound and s.is_holder
),
claimed as (
    select p.pair_id, s.member_id, 'claimant' as rule
    from open_pair as p
    inner join near as s on s.number = p.number
    where p.is_sound and s.is_conflict
),
formerly as (
    select p.pair_id, k.member_id, case when k.person_count = 1 then 'former' else 'former_tie' end as rule
    from open_pair as p
    inner join known_number as k on k.number_hash = p.number_hash
    where p.is_sound and not p.is_clipped
),
repaired as (
    select distinct m.pair_id, s.member_id, 'repair' as rule
    from mended as m
    inner join near as s on s.number = m.number
),
-- Same name and digits 7 to 14; or same name and one digit off, which lies in digits 7 to 14 or leaves them as they are.
-- Names that are not the same letter by letter agree only where one of them has a stand-in, and those are few.
gapped_pair as (
    select pair_id, number, name_key, name_mask, name_gap, birth_digits, outer_digits from open_pair where name_gap <> name_key
),
gapped_person as (
    select member_id, number, name_key, name_mask, name_gap, birth_digits, outer_digits from near where name_gap <> name_key
),
named as (
{% for digits in ("birth_digits", "outer_digits") %}
    select p.pair_id, s.member_id, p.number, s.number as other_number
    from open_pair as p
    inner join near as s on s.name_key = p.name_key and s.{{ digits }} = p.{{ digits }}
    where p.name_key <> ''
    union all
    select p.pair_id, s.member_id, p.number, s.number
    from gapped_pair as p
    inner join near as s on s.{{ digits }} = p.{{ digits }}
    where {{ names.agreement("p", "s") }} = 'same'
    union all
    select p.pair_id, s.member_id, p.number, s.number
    from open_pair as p
    inner join gapped_person as s on s.{{ digits }} = p.{{ digits }}
    where {{ names.agreement("p", "s") }} = 'same'
    {{ "union all" if not loop.last }}
{% endfor %}
),
measured as (
    select distinct
        pair_id, member_id,
        substr(number, 7, 8) = substr(other_number, 7, 8) as is_born_alike,
        length(number) = 18
        and {% for i in range(1, 19) %}case when substr(number, {{ i }}, 1) = substr(other_number, {{ i }}, 1) then 0 else 1 end{{ " + " if not loop.last }}{% endfor %} = 1 as is_one_off
    from named
),
proposed as (
    select pair_id, member_id, case when is_one_off then 'one_digit_off' else 'born_and_named' end as rule
    from measured
    where is_born_alike or is_one_off
),
everybody as (
    select pair_id, member_id, rule from held
    union all
    select pair_id, member_id, rule from claimed
    union all
    select pair_id, member_id, rule from repaired
    union all
    select pair_id, member_id, rule from proposed
)
select
    e.pair_id,
    e.member_id,
    e.rule,
    s.person_key,
    s.household_id,
    s.number as id_number,
    s.name,
    {{ names.agreement("p", "s") }} as name_agreement
from everybody as e
inner join open_pair as p on p.pair_id = e.pair_id
inner join near as s on s.member_id = e.member_id
union all
select
    f.pair_id,
    f.member_id,
    f.rule,
    s.person_key,
    s.household_id,
    coalesce(s.number, s.delivered_number),
    s.name,
    {{ names.agreement("p", "s") }}
from formerly as f
inner join open_pair as p on p.pair_id = f.pair_id
inner join spine as s on s.member_id = f.member_id
