-- Everybody's number and key, and whose each number is that a department wrote otherwise than the
-- register: one script for a first day. No former numbers, no proposals, no questions for stewards,
-- no answers of theirs, no checks.
create temp table person as
with cleaned as (
    select member_id, household_id, status, name, {cleaned} as c
    from (select *, id_number as raw from {members})
),
shaped as (select *, {shaped} as number, {form} as form from cleaned),
checked as (select *, {check_character} as expected from shaped),
judged as (select *, {problem} as problem from checked)
select member_id, household_id, status, name, form,
    case when problem is null then number end as number,
    case when problem is null then {birth_on} end as birth_on,
    case when problem is null then {number_key} else {member_key} end as person_key
from judged;

create temp table shared as
select number, count(*) filter (status = '1') as active, count(*) as n
from person
where number is not null
group by number
having n > 1;

create temp table claimed as select number from shared where active > 1 or (active = 0 and n > 1);

create temp table holder as
select p.number, p.member_id, p.household_id, p.person_key, p.name
from person as p
left join shared as s on s.number = p.number
where p.number is not null and (s.number is null or (s.active = 1 and p.status = '1'));

copy (
    select person_key, member_id, household_id, status, birth_on, form,
        left(name, 1) || '*' as name_masked,
        case
            when number in (from claimed) then 'conflict'
            when number is not null then 'established'
            else 'placeholder'
        end as id_state
    from person order by member_id
) to '{out}/person.parquet' (compression zstd);

copy (
    select member_id, person_key, person_key as first_key,
        case when number is not null then person_key end as number_hash, {day} as first_seen_on,
        true as is_current
    from person order by member_id
) to '{out}/person_key_map.parquet' (compression zstd);

create temp table pair as
with asked as ({asked}),
open as (
    select distinct coalesce(a.raw, '') as raw, coalesce(a.named, '') as named
    from asked as a left join holder as h on h.number = a.raw
    where not coalesce(h.name = a.named or (a.named is null and right(h.number, 3) <> '000'), false)
),
cleaned as (select *, {cleaned} as c from open),
shaped as (select *, {shaped} as number, {form} as form from cleaned),
checked as (select *, {check_character} as expected from shaped)
select *, {problem} as problem, {is_clipped} as is_clipped,
    coalesce(form <> 'upgraded', false) and not {passes_check} as is_repairable
from checked;

create temp table fits as
with meant as (
    select raw, named, number, false as is_mended from pair where problem is null
    union
    select raw, named, {swapped}, true from pair, range(1, 18) as t(place) where is_repairable
    union
    select raw, named, {look_alike_mended}, true from pair where is_repairable
),
known as (
    select number, member_id, name from holder
    union all
    select number, member_id, name from person where number in (from claimed) and status = '1'
),
met as (
    select m.raw, m.named, m.is_mended, k.* from meant as m join known as k on k.number = m.number
),
p as ({names_of_pairs}),
s as ({names_of_people})
select met.*, {agreement} as agreement from met join p using (raw, named) join s using (name);

create temp table answer as
with found as (
    select raw, named, count(*) filter (not is_mended) as holders,
        count(*) filter (is_mended) as mended,
        count(*) filter (is_mended and agreement = 'same') as mended_same,
        max(agreement) filter (not is_mended) as agreement,
        any_value(member_id) filter (not is_mended or agreement = 'same') as member_id
    from fits group by raw, named
),
judged as (
    select p.*, f.member_id, f.agreement,
        case
            when p.problem is null and p.is_clipped and f.agreement is distinct from 'same'
                then 'unidentifiable'
            when p.number in (from claimed) or f.agreement = 'different' then 'ambiguous'
            when p.problem is null
                then case when f.holders = 1 then 'linked' else 'unregistered' end
            when f.mended = 1 and f.mended_same = 1 then 'linked'
            when f.mended > 1 and f.mended_same > 0 then 'ambiguous'
            else 'unidentifiable'
        end as outcome
    from pair as p left join found as f using (raw, named)
)
select j.raw || chr(10) || j.named as pair, j.outcome, j.agreement,
    case when j.problem is null then j.form else 'repaired' end as method, j.problem as reason,
    h.member_id, h.household_id, h.person_key
from judged as j
left join holder as h on h.member_id = case when j.outcome = 'linked' then j.member_id end;
