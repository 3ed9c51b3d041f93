-- The spine: every register row with its person_key. Holds identities: never in the lake.
{% macro keyed(register_row) -%}
    select
        r.*,
        c.role,
        c.holder_member_id,
        c.queue_id,
        k.first_key,
        coalesce(k.first_seen_on, {{ as_of }}) as valid_from,
        case
            when k.person_key is not null then k.person_key
            when coalesce(c.role, 'holder') in ('holder', 'same') and n.person_key is not null then n.person_key
            when coalesce(c.role, 'holder') in ('holder', 'same') and r.number is not null and t.person_key is null then r.number_hash
            else {{ ids.pseudonym("'member:' || r.member_id") }}
        end as own_key
    from {{ register_row }} as r
    left join register_role as c on c.member_id = r.member_id
    left join known_key as k on k.member_id = r.member_id
    left join kin as n on n.number = c.number and n.name_key = c.name_key
    left join taken as t on t.person_key = r.number_hash
{%- endmacro %}
with new_hash as (
    select r.number_hash
    from register_number as r
    left join known_key as k on k.member_id = r.member_id
    where k.member_id is null and r.number_hash is not null
),
-- Keys that a new member's number would give, but that are in use for somebody else: the number was theirs before.
taken as (
    select distinct k.person_key
    from known_key as k
    inner join register_number as r on r.member_id = k.member_id
    where k.person_key in (select number_hash from new_hash)
),
-- The key that another row of the same person brought along.
kin as (
    select number, name_key, min(known_key) as person_key
    from register_role
    where role in ('holder', 'same') and known_key is not null
    group by number, name_key
),
own as (
{{ keyed("register_number") }}
),
staying as (
    select * from register_number where member_id in (select holder_member_id from register_role where role = 'merged')
),
-- What a merged row goes by: the key of the row that stays.
merged_into as (
{{ keyed("staying") }}
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
    k.number is not null and coalesce(k.role, 'holder') = 'holder' as is_holder,
    coalesce(k.role = 'tied', false) as is_conflict,
    k.queue_id,
    k.valid_from,
    k._arrived_on
from own as k
left join merged_into as h on h.member_id = k.holder_member_id
