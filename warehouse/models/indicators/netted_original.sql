{#-
Settlements of W of whoever they are, netted: each original carries the sum of itself and every
reversal dated up to the day, at its own day, person and type.

table: netted_original
grain: record
key: record_id
as: view
same day: matched_health_insurance__settlements, settlement_reversal
parameters: as_of, window_start
changes on: matched_health_insurance__settlements.settled_at at day,
    matched_health_insurance__settlements.settled_at at window
-#}
{% set funds = ("pooled_paid", "critical_illness_paid", "medical_aid_paid") %}
with reversed as (
    select
        original_id,
        sum(total_fee) as total_fee,
        sum(in_scope) as in_scope,
        sum(fund_paid) as fund_paid,
        sum(personal_paid) as personal_paid,
{% for fund in funds %}
        sum({{ fund }}) as {{ fund }},
        count(*) = count({{ fund }}) as has_{{ fund }},
{% endfor %}
        count(*) as reversals
    from settlement_reversal
    where is_counted
    group by original_id
)
select
    s.record_id,
    s.member_id,
    cast(s.settled_at as date) as settled_on,
    s.medical_type,
    s.medical_type = '21' as is_inpatient,
    s.total_fee + coalesce(r.total_fee, 0) as total_fee,
    s.in_scope + coalesce(r.in_scope, 0) as in_scope,
    s.fund_paid + coalesce(r.fund_paid, 0) as fund_paid,
    s.personal_paid + coalesce(r.personal_paid, 0) as personal_paid,
{% for fund in funds %}
    case
        when coalesce(r.has_{{ fund }}, true) then s.{{ fund }} + coalesce(r.{{ fund }}, 0)
    end as {{ fund }},
{% endfor %}
    s._arrived_on
from matched_health_insurance__settlements as s
left join reversed as r on r.original_id = s.record_id
where s.outcome = 'linked' and s.reverses_id is null
    and cast(s.settled_at as date) > {{ window_start }}
    and cast(s.settled_at as date) <= {{ as_of }}
