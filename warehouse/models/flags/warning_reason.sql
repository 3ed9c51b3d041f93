{#-
Why: a row for each indicator that gave or took points, and for what caps, offset, floor and limit
changed. The points of a household sum to its score.

table: warning_reason
kept: flags
publishes: warning_reason
grain: household
key: household_id, code
order: household_id, code
same day: evidence_record, household_score, indicator_state, scored_point
reference: domain_cap
parameters: hard_floor, offset, rule_version, score_limit
laid over: household_id
-#}
with evidence as (
    select
        household_id,
        code,
        list_transform(
            array_slice(list_sort(list(sort_key)), 1, 20), lambda k: substr(k, 5)
        ) as record_ids,
        max(_arrived_on) as arrived_on
    from evidence_record
    group by household_id, code
),
by_domain as (
    select p.household_id, p.domain, sum(p.points) as points, c.cap
    from scored_point as p
    inner join domain_cap as c on c.domain = p.domain
    group by p.household_id, p.domain, c.cap
),
reason as (
    select
        p.household_id,
        p.code,
        case when p.domain is null then -p.points else p.points end as points,
        p.value,
        p.threshold,
        p.department,
        p.records
    from scored_point as p
    union all
    select
        household_id,
        concat('cap:', domain) as code,
        cap - points as points,
        cast(cast(points as decimal(6,2)) as varchar) as value,
        concat('at most ', cast(cap as varchar)) as threshold,
        cast(null as varchar) as department,
        cast(null as varchar) as records
    from by_domain
    where points > cap
    union all
    select
        household_id,
        'offset' as code,
        resilience_points - offset_points as points,
        cast(resilience_points as varchar) as value,
        'at most {{ offset.limit }}, and at most {{ offset.share_of_raw }} of raw' as threshold,
        cast(null as varchar) as department,
        cast(null as varchar) as records
    from household_score
    where resilience_points > offset_points
    union all
    select
        household_id,
        'floor' as code,
        floor_points as points,
        cast(score - floor_points as varchar) as value,
        'at least {{ hard_floor }} where a hard rule fired' as threshold,
        cast(null as varchar) as department,
        cast(null as varchar) as records
    from household_score
    where floor_points > 0
    union all
    select
        household_id,
        'limit' as code,
        limit_points as points,
        cast(raw_points - offset_points as varchar) as value,
        'at most {{ score_limit }}' as threshold,
        cast(null as varchar) as department,
        cast(null as varchar) as records
    from household_score
    where limit_points < 0
)
select
    r.household_id,
    s.area_code,
    substr(s.area_code, 1, 9) as town_code,
    r.code,
    cast(r.points as decimal(6,2)) as points,
    r.value,
    r.threshold,
    r.department,
    r.records,
    coalesce(e.record_ids, cast([] as varchar[])) as evidence,
    e.arrived_on as evidence_on,
    '{{ rule_version }}' as rule_version
from reason as r
inner join indicator_state as s on s.household_id = r.household_id
left join evidence as e on e.household_id = r.household_id and e.code = r.code
