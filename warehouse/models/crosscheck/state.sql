{#-
Whether each rule runs: `missing` where one of its sources was never read, `stale` where one is
older than its contract allows (it adds no row and keeps yesterday's), else `ok`.

table: crosscheck_state
grain: all
key: code
same day: source_state
reference: crosscheck_rule, crosscheck_source
-#}
with source as (
    select s.code, coalesce(t.state, 'missing') as state
    from crosscheck_source as s
    left join source_state as t on t.records = s.records
),
counted as (
    select
        code,
        count(*) filter (where state = 'missing') as missing,
        count(*) filter (where state = 'stale') as stale
    from source
    group by code
)
select
    r.code,
    case when c.missing > 0 then 'missing' when c.stale > 0 then 'stale' else 'ok' end as state
from crosscheck_rule as r
inner join counted as c on c.code = r.code
