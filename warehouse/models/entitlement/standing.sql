{#-
Since when each line has the state that it has, without a break. A day on which a source is stale or
missing breaks nothing: what stood on the last day on which all were there is kept in mind until it
is seen again.

table: entitlement_standing
kept: flags
grain: household
key: entitlement_id, state
order: entitlement_id, state
same day: entitlement_today
earlier day: entitlement_standing as previous_standing
asked: source_state
parameters: as_of, doubtful_schemes
-#}
with joined as (
    select
        coalesce(t.entitlement_id, p.entitlement_id) as entitlement_id,
        coalesce(t.household_id, p.household_id) as household_id,
        coalesce(t.scheme, p.scheme) as scheme,
        coalesce(t.state, p.state) as state,
        t.entitlement_id is not null as is_standing,
        coalesce(p.is_sure, false) as was_sure,
        case when p.is_standing or p.is_sure then p.since else {{ as_of }} end as since
    from entitlement_today as t
    full join previous_standing as p
        on p.entitlement_id = t.entitlement_id and p.state = t.state
),
judged as (
    select
        *,
        case
            when scheme in ({{ doubtful_schemes }}) then was_sure
            else is_standing
        end as is_sure
    from joined
)
select entitlement_id, household_id, scheme, state, is_standing, is_sure, since
from judged
where is_standing or is_sure
