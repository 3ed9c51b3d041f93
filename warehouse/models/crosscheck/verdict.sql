{#-
The verdict that counts of each contradiction: the newest by day, then by id. One about an id that a
rerun of past days replaced counts for the new id.

table: crosscheck_verdict
grain: all
key: contradiction_id
optional: matched_supervision__verdicts
outside: contradiction_alias
parameters: as_of
-#}
with named as (
    select contradiction_id, record_id, checked_on, verdict
    from matched_supervision__verdicts
    where checked_on <= {{ as_of }}
    union all
    select a.contradiction_id, v.record_id, v.checked_on, v.verdict
    from matched_supervision__verdicts as v
    inner join contradiction_alias as a on a.old_id = v.contradiction_id
    where v.checked_on <= {{ as_of }} and a.contradiction_id <> a.old_id
),
ranked as (
    select
        *,
        row_number() over (
            partition by contradiction_id order by checked_on desc, record_id desc
        ) as place
    from named
)
select contradiction_id, record_id as verdict_id, checked_on, verdict
from ranked
where place = 1
