{#-
What reached a household in W, by scheme, against what was awarded.

table: support_received
kept: flags
publishes: support_received
grain: household
key: household_id, scheme
order: household_id, scheme
same day: household_award, household_payment, support_household
asked: source_state
parameters: awarding, read
-#}
{% from "indicators/exact.jinja" import yuan %}
with paid as (
    select
        household_id,
        scheme,
        sum(amount) as amount,
        count(*) filter (where amount > 0) as payments,
        max(case when amount > 0 then paid_on end) as last_paid_on
    from household_payment
    group by household_id, scheme
),
joined as (
    select
        coalesce(p.household_id, a.household_id) as household_id,
        coalesce(p.scheme, a.scheme) as scheme,
        case when p.household_id is null then 0 else p.amount end as paid_amount,
        case when a.household_id is null then 0 else a.amount end as awarded_amount,
        coalesce(p.payments, 0) as payments,
        p.last_paid_on
    from paid as p
    full join household_award as a on a.household_id = p.household_id and a.scheme = p.scheme
)
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    j.scheme,
    {{ yuan("j.paid_amount") }} as amount_12_months,
    case when j.scheme in ({{ awarding }}) then {{ yuan("j.awarded_amount") }} end
        as awarded_12_months,
    cast(j.payments as integer) as payments,
    j.last_paid_on
from joined as j
inner join support_household as h on h.household_id = j.household_id
where {{ "true" if "payments" in read else "false" }}
