{#-
Every source: newest accepted batch, age, state, the counts of the day's batch and of its links.

table: source_status
kept: household
publishes: source_status
grain: all
key: department, records
order: department, records
same day: linkage_quality
outside: source_ledger
-#}
select
    s.*,
    q.linked,
    q.unregistered,
    q.ambiguous,
    q.unidentifiable,
    q.match_rate,
    q.false_link_rate
from source_ledger as s
left join linkage_quality as q on q.department = s.department and q.records = s.records
