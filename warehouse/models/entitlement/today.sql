{#-
The state of each line that has one: met, lacking, held beyond what is known (where its own narrow
condition stands as a contradiction today), or unknown.

table: entitlement_today
grain: member
key: entitlement_id
same day: contradiction, entitlement_line, entitlement_unpaid
reference: entitlement_scheme
-#}
with judged as (
    select
        l.scheme,
        l.household_id,
        l.member_id,
        l.facts,
        s.beyond,
        case when l.is_entitled and l.has_conflict then null else l.is_entitled end as is_entitled,
        l.is_held,
        u.household_id is not null as is_unpaid
    from entitlement_line as l
    inner join entitlement_scheme as s on s.scheme = l.scheme
    left join entitlement_unpaid as u
        on u.household_id = l.household_id and u.scheme = l.scheme
),
stated as (
    select
        j.scheme,
        j.household_id,
        j.member_id,
        j.facts,
        case
            when j.is_entitled and j.is_held and j.is_unpaid then 'paid'
            when j.is_entitled and not j.is_held then 'awarded'
        end as gap_at,
        case
            when j.is_entitled and j.is_held and not j.is_unpaid then 'met'
            when j.is_entitled and j.is_held then 'gap'
            when j.is_entitled and not j.is_held then 'gap'
            when j.is_entitled then 'unknown'
            when j.is_entitled is null and not coalesce(j.is_held, false) then 'unknown'
            when not j.is_entitled and j.is_held and c.contradiction_id is not null then 'beyond'
        end as state
    from judged as j
    left join contradiction as c
        on c.code = j.beyond
        and c.household_id = j.household_id
        and coalesce(c.member_id, '') = coalesce(j.member_id, '')
)
select
    concat(household_id, '|', scheme, '|', coalesce(member_id, '')) as entitlement_id,
    household_id,
    member_id,
    scheme,
    state,
    gap_at,
    facts
from stated
where state is not null
