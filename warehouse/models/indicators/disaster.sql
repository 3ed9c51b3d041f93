{#-
R24 to R26: what a disaster took, who was hurt or killed, who is on a relief list.

table: indicators_disaster
grain: household
key: household_id
as: view
same day: casualty, counted_loss, indicators_basic, relief_in_force
-#}
{% from "indicators/exact.jinja" import ratio %}
with lost as (
    select household_id, sum(loss_yuan) as loss_yuan
    from counted_loss
    where is_in_window
    group by household_id
),
hurt as (
    select
        household_id,
        cast(count(distinct case when is_in_window then member_id end) as integer) as persons
    from casualty
    group by household_id
),
listed as (
    select distinct household_id
    from relief_in_force
)
select
    b.household_id,
    case
        when b.b19_net_income > 0 then {{ ratio("coalesce(l.loss_yuan, 0)", "b.b19_net_income") }}
        when b.b19_net_income <= 0
            then cast(case when l.loss_yuan > 0 then 1 else 0 end as decimal(12,4))
    end as r24_disaster_loss_share,
    coalesce(h.persons, 0) as r25_casualty_count,
    r.household_id is not null as r26_needs_relief
from indicators_basic as b
left join lost as l on l.household_id = b.household_id
left join hurt as h on h.household_id = b.household_id
left join listed as r on r.household_id = b.household_id
