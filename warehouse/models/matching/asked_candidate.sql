{#-
The candidates of each question beside what the department delivered: for the vault only, since it
holds identities.

table: asked_candidate
grain: record
key: queue_id, position
holds: identities
same day: candidate, open_pair, question
-#}
with ruled as (
    select
        pair_id, member_id, person_key, household_id, id_number, name,
        min(case
            when rule not in ('born_and_named', 'named_in_household', 'one_digit_off') then rule
        end) as deciding_rule,
        min(rule) as proposing_rule,
        min(name_agreement) as name_agreement
    from candidate
    group by pair_id, member_id, person_key, household_id, id_number, name
)
select
    q.record_type,
    q.queue_id,
    row_number() over (partition by q.queue_id order by c.member_id) as position,
    c.person_key,
    c.member_id,
    c.household_id,
    c.id_number,
    c.name,
    coalesce(c.deciding_rule, c.proposing_rule) as rule,
    c.name_agreement,
    p.raw_number as record_id_number,
    p.raw_name as record_name
from question as q
inner join open_pair as p on p.pair_id = q.pair_id
inner join ruled as c on c.pair_id = q.pair_id
