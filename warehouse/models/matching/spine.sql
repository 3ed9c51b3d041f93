-- The spine: every register row with its person_key. Holds identities: never in the lake.
with rolled as (
    select
        r.*,
        c.role,
        c.holder_member_id,
        c.queue_id,
        k.person_key as known_key,
        k.first_key,
        coalesce(k.first_seen_on, {{ as_of }}) as valid_from,
        r.number is not null and coalesce(c.role, 'holder') in ('holder', 'same') as has_number
    from register_number as r
    left join register_role as c on c.member_id = r.member_id
    left join known_key as k on k.member_id = r.member_id
),
-- The key that another row of the same person brought along.
kin as (
    select number, name_key, min(known_key) as person_key
    from rolled
    where role in ('holder', 'same') and known_key is not null
    group by number, name_key
),
-- Keys that a new member's number would give, but that are in use for somebody else: the number was theirs before.
taken as (
    select distinct known_key as person_key
    from rolled
    where known_key in (select number_hash from rolled where known_key is null and number_hash is not null)
),
keyed as (
    select
        r.*,
        case
            when r.known_key is not null then r.known_key
            when r.has_number and n.person_key is not null then n.person_key
            when r.has_number and t.person_key is null then r.number_hash
            else {{ ids.pseudonym("'member:' || r.member_id") }}
        end as own_key
    from rolled as r
    left join kin as n on n.number = r.number and n.name_key = r.name_key
    left join taken as t on t.person_key = r.number_hash
),
merged_into as (
    select member_id, own_key
    from keyed
    where member_id in (select holder_member_id from register_role where role = 'merged')
)
select
    k.member_id,
    k.household_id,
    case when k.role = 'merged' then '2' else k.status end as status,
    coalesce(case when k.role = 'merged' then h.own_key end, k.own_key) as person_key,
    coalesce(k.first_key, case when k.role in ('tied', 'merged', 'apart') then {{ ids.pseudonym("'member:' || k.member_id") }} end, k.own_key) as first_key,
    case when coalesce(k.role, '') <> 'apart' then k.number end as number,
    case when coalesce(k.role, '') <> 'apart' then k.number_hash end as number_hash,
    case when coalesce(k.role, '') <> 'apart' then k.birth_on end as birth_on,
    case when coalesce(k.role, '') <> 'apart' then k.form end as form,
    k.delivered_number,
    k.name,
    k.name_key,
    k.name_mask,
    k.name_gap,
    substr(k.number, 7, 8) as birth_digits,
    left(k.number, 6) || right(k.number, 4) as outer_digits,
    k.number is not null and coalesce(k.role, 'holder') = 'holder' as is_holder,
    coalesce(k.role = 'tied', false) as is_conflict,
    k.queue_id,
    k.valid_from,
    k._arrived_on
from keyed as k
left join merged_into as h on h.member_id = k.holder_member_id
