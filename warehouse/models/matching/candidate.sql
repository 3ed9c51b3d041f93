{#-
Everybody whom an open pair may be about, and by which rule. The first four rules decide, the others
only propose: who shares name and digits, and, where what waits is not absent, who has the name in
the household of the number's holder.

table: candidate
grain: record
key: pair_id, member_id, rule
holds: identities
same day: known_number, open_pair, spine
reference: name_variant
parameters: absence_is_undoubted
-#}
{% from "matching/normalised.jinja" import people %}
with mended as (
    select pair_id, {{ ids.look_alike_mended("number") }} as number
    from open_pair
    where is_repairable
    union all
    select p.pair_id, {{ ids.swapped("p.number", "i.position") }}
    from open_pair as p
    cross join (
        values {% for i in range(1, 18) %}({{ i }}){{ ", " if not loop.last }}{% endfor %}
    ) as i (position)
    where p.is_repairable
),
formerly as (
    select
        p.pair_id,
        k.member_id,
        case when k.person_count = 1 then 'former' else 'former_tie' end as rule
    from open_pair as p
    inner join known_number as k on k.number_hash = p.number_hash
    where p.is_sound and not p.is_clipped
),
asked_number as (
    select number from open_pair where is_sound
    union
    select number from mended where number is not null
),
-- A sound number under another name is a relative's more often than anybody else's.
asked_household as (
    select household_id
    from spine
    where {{ absence_is_undoubted }}
        and is_holder
        and number in (select number from open_pair where is_sound)
),
comparable as (
    select
        member_id,
        person_key,
        household_id,
        number,
        coalesce(number, delivered_number) as id_number,
        name,
        is_holder,
        is_conflict,
        substr(number, 7, 8) as birth_digits, left(number, 6) || right(number, 4) as outer_digits
    from spine
    where is_holder or is_conflict
        or member_id in (select member_id from formerly)
        or household_id in (select household_id from asked_household)
),
{{ people("comparable", "name", names) }},
blocked as (
    select
        *,
        {{ names.block_from_left("name_key") }} as left_block,
        {{ names.block_from_right("name_key") }} as right_block
    from named
),
asked_name as (
    select birth_digits || name_key as name_and_digits from open_pair where name_key <> ''
    union
    select outer_digits || name_key from open_pair where name_key <> ''
),
asked_block as (
    select birth_digits || {{ names.gap_block("name_gap") }} as block
    from open_pair
    where name_gap <> name_key
    union
    select outer_digits || {{ names.gap_block("name_gap") }}
    from open_pair
    where name_gap <> name_key
),
-- One pass over everybody: who has the number, or shares digits and name. Names that are not the
-- same letter by letter agree only where one of them has a stand-in, and those are few.
near as (
    select *
    from blocked
    where
        number in (select number from asked_number)
        or birth_digits || name_key in (select name_and_digits from asked_name)
        or outer_digits || name_key in (select name_and_digits from asked_name)
{% for side in ("left_block", "right_block") %}
        or birth_digits || {{ side }} in (select block from asked_block)
        or outer_digits || {{ side }} in (select block from asked_block)
{% endfor %}
        or member_id in (select member_id from formerly)
        or household_id in (select household_id from asked_household)
        or name_gap <> name_key
),
held as (
    select p.pair_id, s.member_id, 'holder' as rule
    from open_pair as p
    inner join near as s on s.number = p.number
    where p.is_sound and s.is_holder
),
related as (
    select p.pair_id, s.member_id, 'named_in_household' as rule
    from held as h
    inner join open_pair as p on p.pair_id = h.pair_id
    inner join near as o on o.member_id = h.member_id
    inner join near as s on s.household_id = o.household_id
    where {{ absence_is_undoubted }}
        and s.member_id <> o.member_id
        and {{ names.agreement("p", "o") }} = 'different'
        and {{ names.agreement("p", "s") }} = 'same'
),
claimed as (
    select p.pair_id, s.member_id, 'claimant' as rule
    from open_pair as p
    inner join near as s on s.number = p.number
    where p.is_sound and s.is_conflict
),
repaired as (
    select distinct m.pair_id, s.member_id, 'repair' as rule
    from mended as m
    inner join near as s on s.number = m.number
    where s.is_holder or s.is_conflict
),
-- Same name and digits 7 to 14; or same name and one digit off, which lies in digits 7 to 14 or
-- leaves them as they are.
named_alike as (
{% for digits in ("birth_digits", "outer_digits") %}
    select p.pair_id, s.member_id, p.number, s.number as other_number
    from open_pair as p
    inner join near as s on s.name_key = p.name_key and s.{{ digits }} = p.{{ digits }}
    where p.name_key <> '' and (s.is_holder or s.is_conflict)
{% for block in (names.block_from_left, names.block_from_right) %}
    union all
    select p.pair_id, s.member_id, p.number, s.number
    from open_pair as p
    inner join near as s
        on s.{{ digits }} = p.{{ digits }}
            and {{ block("s.name_key") }} = {{ names.gap_block("p.name_gap") }}
    where p.name_gap <> p.name_key
        and {{ names.agreement("p", "s") }} = 'same'
        and (s.is_holder or s.is_conflict)
    union all
    select p.pair_id, s.member_id, p.number, s.number
    from open_pair as p
    inner join near as s
        on s.{{ digits }} = p.{{ digits }}
            and {{ names.gap_block("s.name_gap") }} = {{ block("p.name_key") }}
    where s.name_gap <> s.name_key
        and {{ names.agreement("p", "s") }} = 'same'
        and (s.is_holder or s.is_conflict)
{% endfor %}
    {{ "union all" if not loop.last }}
{% endfor %}
),
measured as (
    select distinct
        pair_id, member_id,
        substr(number, 7, 8) = substr(other_number, 7, 8) as is_born_alike,
        length(number) = 18
        and {% for i in range(1, 19) %}case
            when substr(number, {{ i }}, 1) = substr(other_number, {{ i }}, 1) then 0
            else 1
        end{{ " + " if not loop.last }}{% endfor %} = 1 as is_one_off
    from named_alike
),
everybody as (
    select pair_id, member_id, rule from held
    union all
    select pair_id, member_id, rule from related
    union all
    select pair_id, member_id, rule from claimed
    union all
    select pair_id, member_id, rule from formerly
    union all
    select pair_id, member_id, rule from repaired
    union all
    select
        pair_id,
        member_id,
        case when is_one_off then 'one_digit_off' else 'born_and_named' end as rule
    from measured
    where is_born_alike or is_one_off
)
select
    e.pair_id,
    e.member_id,
    e.rule,
    s.person_key,
    s.household_id,
    s.id_number,
    s.name,
    {{ names.agreement("p", "s") }} as name_agreement
from everybody as e
inner join open_pair as p on p.pair_id = e.pair_id
inner join near as s on s.member_id = e.member_id
