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
    s.department,
    s.records,
    s.batch_id,
    s.extract_date,
    s.age_days,
    s.state,
    s.received,
    s.accepted,
    s.unchanged,
    s.superseded,
    s.withdrawn,
    s.quarantined,
    s.in_force,
    q.linked,
    q.unregistered,
    q.ambiguous,
    q.unidentifiable,
    q.match_rate,
    q.false_link_rate,
    q.placed,
    q.unplaced,
    s.notes,
    s.behind_window,
    s.left_lying,
    s.rejected_batch,
    s.rejected_on,
    s.rejected_rule,
    s.rejected_rows,
    s.next_step
from source_ledger as s
left join linkage_quality as q on q.department = s.department and q.records = s.records
