{#-
One outcome for each open pair.

table: pair_answer
grain: record
key: pair_id
holds: identities
same day: candidate, open_pair
parameters: pair_text
-#}
with found as (
    select
        pair_id,
        max(case when rule in ('holder', 'former') then member_id end) as member_id,
        max(case when rule in ('holder', 'former') then name_agreement end) as name_agreement,
        count(*) filter (where rule = 'claimant') as claimant_count,
        max(case when rule = 'claimant' then name_agreement end) as claimant_agreement,
        count(*) filter (where rule = 'former_tie') as former_tie_count,
        count(*) filter (where rule = 'repair') as repair_count,
        count(*) filter (where rule = 'repair' and name_agreement = 'same') as repair_same_count,
        max(case when rule = 'repair' then member_id end) as repair_member_id,
        count(*) filter (where rule in ('born_and_named', 'one_digit_off')) as proposal_count
    from candidate
    group by pair_id
),
judged as (
    select
        p.pair_id, p.raw_number, p.raw_name, p.form, p.problem, p.number_hash, p.is_sound,
        p.is_clipped,
        f.member_id, f.name_agreement, f.claimant_agreement, f.repair_member_id,
        coalesce(f.proposal_count, 0) as proposal_count,
        case
            when p.is_sound and p.is_clipped and f.name_agreement = 'same' then 'holder'
            when p.is_sound and p.is_clipped and f.claimant_agreement = 'same' then 'conflict'
            when p.is_sound and p.is_clipped then 'unsound'
            when p.is_sound and f.claimant_count > 0 then 'conflict'
            when p.is_sound and f.name_agreement = 'different' then 'name_differs'
            when p.is_sound and f.member_id is not null then 'holder'
            when p.is_sound and f.former_tie_count > 0 then 'tie'
            when p.is_sound then 'nobody'
            when p.is_repairable and f.repair_count = 1 and f.repair_same_count = 1 then 'repaired'
            when p.is_repairable and f.repair_count > 1 and f.repair_same_count > 0 then 'tie'
            else 'unsound'
        end as verdict
    from open_pair as p
    left join found as f on f.pair_id = p.pair_id
),
answered as (
    select
        *,
        case verdict
            when 'holder' then member_id
            when 'repaired' then repair_member_id
        end as linked_member_id
    from judged
)
select
    a.pair_id,
    a.raw_number,
    a.raw_name,
    {{ pair_text("raw_number", "raw_name") }} as pair,
    a.number_hash,
    a.proposal_count,
    s.person_key,
    s.member_id,
    s.household_id,
    case
        when a.verdict in ('holder', 'repaired') then 'linked'
        when a.verdict in ('conflict', 'name_differs', 'tie') then 'ambiguous'
        when a.verdict = 'nobody' then 'unregistered'
        else 'unidentifiable'
    end as outcome,
    case a.verdict when 'holder' then a.form when 'repaired' then 'repaired' end as method,
    case
        when a.verdict in ('holder', 'name_differs') then a.name_agreement
        when a.verdict = 'conflict'
            then case a.claimant_agreement
                when 'same' then 'same'
                when 'absent' then 'absent'
                else 'different'
            end
        when a.verdict = 'repaired' or (a.verdict = 'tie' and not a.is_sound) then 'same'
    end as name_agreement,
    case a.verdict
        when 'name_differs' then 'name_differs'
        when 'tie' then 'tie'
        when 'conflict' then 'register_conflict'
        when 'nobody' then 'not_registered'
        when 'unsound' then a.problem
    end as reason
from answered as a
left join candidate as s
    on s.pair_id = a.pair_id
        and s.member_id = a.linked_member_id
        and s.rule in ('holder', 'former', 'repair')
