{#-
raw = sum over domains of min(cap, risk points); offset = min(limit, resilience points, share of
raw); score between.

table: household_score
grain: household
key: household_id
same day: indicator_state, scored_point
reference: domain_cap
parameters: hard_floor, offset, score_limit
-#}
with by_domain as (
    select p.household_id, p.domain, sum(p.points) as points, c.cap
    from scored_point as p
    inner join domain_cap as c on c.domain = p.domain
    group by p.household_id, p.domain, c.cap
),
risk as (
    select household_id, sum(least(cap, points)) as raw_points
    from by_domain
    group by household_id
),
resilience as (
    select household_id, sum(points) as points
    from scored_point
    where domain is null
    group by household_id
),
hard as (
    select distinct household_id
    from scored_point
    where is_hard
),
compensated as (
    select
        s.household_id,
        coalesce(r.raw_points, 0) as raw_points,
        coalesce(v.points, 0) as resilience_points,
        least(
            {{ offset.limit }},
            coalesce(v.points, 0),
            cast(coalesce(r.raw_points, 0) * {{ offset.share_of_raw }} as decimal(6,2))
        ) as offset_points,
        h.household_id is not null as is_hard
    from indicator_state as s
    left join risk as r on r.household_id = s.household_id
    left join resilience as v on v.household_id = s.household_id
    left join hard as h on h.household_id = s.household_id
    where s.active_count > 0
),
limited as (
    select *, least({{ score_limit }}, raw_points - offset_points) as limited_points
    from compensated
)
select
    household_id,
    cast(raw_points as decimal(6,2)) as raw_points,
    cast(resilience_points as decimal(6,2)) as resilience_points,
    cast(offset_points as decimal(6,2)) as offset_points,
    cast(limited_points - (raw_points - offset_points) as decimal(6,2)) as limit_points,
    cast(
        case
            when is_hard and limited_points < {{ hard_floor }}
                then {{ hard_floor }} - limited_points
            else 0
        end as decimal(6,2)
    ) as floor_points,
    cast(
        case
            when is_hard and limited_points < {{ hard_floor }} then {{ hard_floor }}
            else limited_points
        end as decimal(6,2)
    ) as score,
    is_hard
from limited
