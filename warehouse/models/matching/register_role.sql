{#-
What each register row that shares its number is to that number: `holder` (the one who has it),
`same` (another row of the holder), `other` (somebody else's row that no longer counts), `tied` (in
the queue), `apart` (a steward: not theirs).

table: register_role
grain: member
key: member_id
same day: known_key, register_claim, steward_answer
reference: pseudonym_pad
-#}
with asked as (
    select
        c.*,
        k.person_key as known_key,
        coalesce(k.first_key, {{ ids.pseudonym("'member:' || c.member_id") }}) as claim_key,
        a.decision,
        a.person_key
    from register_claim as c
    left join known_key as k on k.member_id = c.member_id
    left join steward_answer as a
        on a.queue_id = c.queue_id and a.decision in ('merge', 'keep_apart')
),
kept as (
    select number, min(member_id) as member_id
    from asked
    where counts and claim_key = person_key
    group by number
)
select
    a.member_id,
    a.number,
    a.name_key,
    a.known_key,
    a.queue_id,
    case when a.claimant_count = 1 then a.first_member_id else k.member_id end as holder_member_id,
    case
        when a.claimant_count = 1 and a.member_id = a.first_member_id then 'holder'
        when a.claimant_count = 1 and a.name_key = a.first_name_key then 'same'
        when not a.counts then 'other'
        when a.member_id = k.member_id then 'holder'
        when a.decision = 'merge' and k.member_id is not null then 'merged'
        when a.decision = 'keep_apart' and k.member_id is not null then 'apart'
        else 'tied'
    end as role
from asked as a
left join kept as k on k.number = a.number
