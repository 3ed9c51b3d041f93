{#-
Settlements of W, netted: each original carries the sum of itself and every reversal dated up to the
day, at its own day, person and type; one with nothing left does not count. Whose: an active
member's, or one's who died in W.

table: net_settlement
grain: record
key: record_id
same day: any_member, matched_health_insurance__settlements, settlement_reversal
parameters: as_of, window_start
changes on: matched_health_insurance__settlements.settled_at at day,
    matched_health_insurance__settlements.settled_at at window
-#}
with reversed as (
    select
        original_id,
        sum(total_fee) as total_fee,
        sum(in_scope) as in_scope,
        sum(fund_paid) as fund_paid,
        sum(personal_paid) as personal_paid,
        sum(critical_illness_paid) as critical_illness_paid,
        count(*) = count(critical_illness_paid) as is_complete
    from settlement_reversal
    where is_counted
    group by original_id
),
net as (
    select
        s.record_id,
        s.member_id,
        cast(s.settled_at as date) as settled_on,
        s.medical_type = '21' as is_inpatient,
        s.total_fee + coalesce(r.total_fee, 0) as total_fee,
        s.in_scope + coalesce(r.in_scope, 0) as in_scope,
        s.fund_paid + coalesce(r.fund_paid, 0) as fund_paid,
        s.personal_paid + coalesce(r.personal_paid, 0) as personal_paid,
        case
            when coalesce(r.is_complete, true)
                then s.critical_illness_paid + coalesce(r.critical_illness_paid, 0)
        end
            as critical_illness_paid,
        s._arrived_on
    from matched_health_insurance__settlements as s
    left join reversed as r on r.original_id = s.record_id
    where s.outcome = 'linked' and s.reverses_id is null
        and cast(s.settled_at as date) > {{ window_start }}
        and cast(s.settled_at as date) <= {{ as_of }}
)
select n.*, m.household_id
from net as n
inner join any_member as m on m.member_id = n.member_id
where n.total_fee > 0 and (m.is_active or m.died_in_window)
