{#-
Every register row with its person_key, as matching keeps it: what is nearly always the person_key
too (the first key, the hash of the number) is null then, since a province's spine has to stay in
memory. Holds identities: never in the lake.

table: spine_row
grain: member
key: member_id
holds: identities
same day: known_key, register_number, register_role
reference: pseudonym_pad
parameters: as_of
-#}
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
            when coalesce(c.role, 'holder') in ('holder', 'same') and n.person_key is not null
                then n.person_key
            when coalesce(c.role, 'holder') in ('holder', 'same')
                and r.number is not null
                and t.person_key is null
                then r.number_hash
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
-- Keys that a new member's number would give, but that are in use for somebody else: the number was
-- theirs before.
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
    select *
    from register_number
    where member_id in (select holder_member_id from register_role where role = 'merged')
),
-- What a merged row goes by: the key of the row that stays.
merged_into as (
{{ keyed("staying") }}
),
named as (
    select
        k.*,
        coalesce(case when k.role = 'merged' then h.own_key end, k.own_key) as person_key,
        coalesce(
            k.first_key,
            case
                when k.role in ('tied', 'merged', 'apart')
                    then {{ ids.pseudonym("'member:' || k.member_id") }}
            end,
            k.own_key
        ) as given_key,
        coalesce(k.role, '') = 'apart' as is_apart
    from own as k
    left join merged_into as h on h.member_id = k.holder_member_id
)
select
    member_id,
    household_id,
    case when role = 'merged' then '2' else status end as status,
    person_key,
    case when given_key <> person_key then given_key end as other_first_key,
    case when not is_apart then number end as number,
    case when not is_apart and number_hash <> person_key then number_hash end as other_number_hash,
    case when not is_apart then birth_on end as birth_on,
    case when not is_apart then form end as form,
    case when is_apart or number is null then delivered_number end as delivered_number,
    name,
    number is not null and coalesce(role, 'holder') = 'holder' as is_holder,
    coalesce(role = 'tied', false) as is_conflict,
    queue_id,
    valid_from,
    _arrived_on
from named
