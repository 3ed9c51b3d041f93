{#-
What befell a household within some days and asks for temporary aid: the death of who earned, a
casualty, a loss that takes half of the income; the newest, and whether there was one of each kind.

table: entitlement_event
grain: household
key: household_id
same day: any_member, casualty, counted_loss, entitlement_household, entitlement_household_waiting,
    linked_death
asked: source_state
parameters: as_of, entitlement, read
-#}
{% from "entitlement/known.jinja" import sought %}
{% set within = entitlement.event_days %}
with death as (
    select m.household_id, max(d.died_on) as happened_on
    from linked_death as d
    inner join any_member as m on m.member_id = d.member_id
    where m.is_lost_earner and date_diff('day', d.died_on, {{ as_of }}) <= {{ within }}
    group by m.household_id
),
hurt as (
    select household_id, max(occurred_on) as happened_on
    from casualty
    where date_diff('day', occurred_on, {{ as_of }}) <= {{ within }}
    group by household_id
),
lost as (
    select household_id, max(occurred_on) as happened_on
    from counted_loss
    where date_diff('day', occurred_on, {{ as_of }}) <= {{ within }}
    group by household_id
)
select
    h.household_id,
    {{ sought("d.household_id is not null", "deaths", "coalesce(w.deaths, false)", read) }}
        as has_death,
    {{ sought("c.household_id is not null", "casualties", "coalesce(w.casualties, false)", read) }}
        as has_casualty,
    h.loss_share >= {{ entitlement.loss_share }}
        and {{ sought("l.household_id is not null", "losses", "coalesce(w.losses, false)", read) }}
        as has_loss,
    d.happened_on as died_on,
    c.happened_on as hurt_on,
    case when h.loss_share >= {{ entitlement.loss_share }} then l.happened_on end as lost_on
from entitlement_household as h
left join entitlement_household_waiting as w on w.household_id = h.household_id
left join death as d on d.household_id = h.household_id
left join hurt as c on c.household_id = h.household_id
left join lost as l on l.household_id = h.household_id
