{#-
What departments say against each other: a row per rule and household, or member. A question to a
named office, never a finding. `since` is carried from the last day on which the rule ran; a rule
whose source is stale keeps its rows. What was explained or not confirmed is open again once the
content or the set of its rows changes.

table: contradiction
kept: flags
publishes: contradiction
grain: household
key: contradiction_id
order: contradiction_id
same day: crosscheck_content, crosscheck_state, crosscheck_verdict, household
earlier day: contradiction as previous_contradiction, contradiction_span as previous_span
reference: crosscheck_rule
parameters: as_of
-#}
with found as (
    select
        c.code,
        c.household_id,
        c.member_id,
        list_sort(list(distinct c.record_id) filter (
            where c.is_there and c.department = r.owner
        )) as own_ids,
        list_sort(list(distinct c.record_id) filter (
            where c.is_there and c.department <> r.owner
        )) as other_ids,
        list_sort(list(distinct c.evidence) filter (where c.is_there)) as evidence,
        sha256(array_to_string(
            list_sort(list(distinct concat(c.evidence, '|', c.content))), ';'
        )) as content
    from crosscheck_content as c
    inner join crosscheck_rule as r on r.code = c.code
    group by c.code, c.household_id, c.member_id
),
today as (
    select
        code,
        household_id,
        member_id,
        coalesce(own_ids, cast([] as varchar[])) as record_ids,
        coalesce(other_ids, cast([] as varchar[])) as other_record_ids,
        coalesce(evidence, cast([] as varchar[])) as evidence,
        content
    from found
    union all
    select
        p.code,
        p.household_id,
        p.member_id,
        p.record_ids,
        p.other_record_ids,
        p.evidence,
        p._content as content
    from previous_contradiction as p
    inner join crosscheck_state as s on s.code = p.code and s.state = 'stale'
),
stood as (
    select
        t.*,
        coalesce(p.since, {{ as_of }}) as since,
        case when p.content <> t.content then {{ as_of }} else p.changed_on end as changed_on
    from today as t
    left join previous_span as p
        on p.is_standing
        and p.code = t.code
        and p.household_id = t.household_id
        and coalesce(p.member_id, '') = coalesce(t.member_id, '')
),
named as (
    select
        *,
        substr(sha256(concat(
            code, '|', household_id, '|', coalesce(member_id, ''), '|', cast(since as varchar)
        )), 1, 16) as contradiction_id
    from stood
)
select
    n.contradiction_id,
    n.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    n.member_id,
    n.code,
    r.owner,
    r.other,
    n.record_ids,
    n.other_record_ids,
    n.since,
    case
        when v.verdict = 'confirmed' then 'confirmed'
        when v.verdict is not null and n.changed_on > v.checked_on then 'open'
        when v.verdict is not null then v.verdict
        when date_diff('day', n.since, {{ as_of }}) < r.after_days then 'new'
        else 'open'
    end as state,
    n.evidence,
    n.content as _content,
    n.changed_on as _changed_on
from named as n
inner join crosscheck_rule as r on r.code = n.code
left join household as h on h.household_id = n.household_id
left join crosscheck_verdict as v on v.contradiction_id = n.contradiction_id
