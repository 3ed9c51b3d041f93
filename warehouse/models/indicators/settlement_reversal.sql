{#-
Every reversal that leads to an original, through reversals of reversals, with what it takes off;
counted where it is dated up to the day.

table: settlement_reversal
grain: record
key: original_id, record_id
same day: matched_health_insurance__settlements
parameters: as_of
changes on: matched_health_insurance__settlements.settled_at at day
-#}
with recursive reversal as (
    select
        record_id, reverses_id, settled_at, total_fee, in_scope, fund_paid, personal_paid,
        pooled_paid, critical_illness_paid, medical_aid_paid, _arrived_on
    from matched_health_insurance__settlements
    where reverses_id is not null
),
chain as (
    select o.record_id as original_id, r.record_id
    from matched_health_insurance__settlements as o
    inner join reversal as r on r.reverses_id = o.record_id
    where o.reverses_id is null
    union all
    select c.original_id, r.record_id
    from chain as c
    inner join reversal as r on r.reverses_id = c.record_id
)
select
    c.original_id,
    r.record_id,
    cast(r.settled_at as date) <= {{ as_of }} as is_counted,
    r.total_fee,
    r.in_scope,
    r.fund_paid,
    r.personal_paid,
    r.pooled_paid,
    r.critical_illness_paid,
    r.medical_aid_paid,
    r._arrived_on
from chain as c
inner join reversal as r on r.record_id = c.record_id
