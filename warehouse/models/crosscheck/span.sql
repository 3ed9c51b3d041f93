{#-
Every contradiction that stands or stood, as a span: since when, its last day, the first and the
last day on which it was open under the version of its rule that is in force then, and whether it
stood on the last day on which its rule ran.

table: contradiction_span
kept: flags
grain: household
key: contradiction_id
order: contradiction_id
same day: contradiction, crosscheck_state
earlier day: contradiction_span as previous_span
reference: crosscheck_rule
parameters: as_of, spans_since
-#}
with standing as (
    select
        c.contradiction_id,
        c.household_id,
        c.area_code,
        c.town_code,
        c.member_id,
        c.code,
        c.since,
        c.state = 'open' as is_open,
        r.version,
        c._content as content,
        c._changed_on as changed_on
    from contradiction as c
    inner join crosscheck_rule as r on r.code = c.code
)
select
    s.contradiction_id,
    s.household_id,
    s.area_code,
    s.town_code,
    s.member_id,
    s.code,
    case when s.is_open or p.contradiction_id is null then s.version else p.version end as version,
    s.since,
    true as is_standing,
    {{ as_of }} as stood_on,
    case
        when s.is_open and (p.opened_on is null or p.version <> s.version) then {{ as_of }}
        else p.opened_on
    end as opened_on,
    case when s.is_open then {{ as_of }} else p.open_on end as open_on,
    s.content,
    s.changed_on
from standing as s
left join previous_span as p on p.contradiction_id = s.contradiction_id
union all
select
    p.contradiction_id,
    p.household_id,
    p.area_code,
    p.town_code,
    p.member_id,
    p.code,
    p.version,
    p.since,
    p.is_standing and coalesce(t.state, 'missing') = 'missing' as is_standing,
    p.stood_on,
    p.opened_on,
    p.open_on,
    p.content,
    p.changed_on
from previous_span as p
left join standing as s on s.contradiction_id = p.contradiction_id
left join crosscheck_state as t on t.code = p.code
where s.contradiction_id is null and p.stood_on > {{ spans_since }}
