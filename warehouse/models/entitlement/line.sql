{#-
Each line of entitlement for each household, or active member: entitled, held, in three values, and
the facts that made it so.

table: entitlement_line
grain: member
key: scheme, household_id, member_id
same day: counted_loss, counted_retrofit, entitlement_event, entitlement_household,
    entitlement_household_waiting, entitlement_member, entitlement_unable,
    matched_civil_affairs__temporary_aid, any_member
asked: source_state
parameters: as_of, entitlement, read, stale, support
-#}
{% from "entitlement/known.jinja" import fact, held, sought %}
{% set yuan = "decimal(16,2)" %}
{% macro of_household() -%}
h.household_id, cast(null as varchar) as member_id, h.has_conflict
{%- endmacro %}
{% macro maintained(found) -%}
{% if "assistance" in stale -%} case when {{ found }} then true end
{%- else -%} {{ found }} {%- endif %}
{%- endmacro %}
{% macro group(h) -%}
case
    when {{ h }}.is_lifted then 'lifted'
    when {{ h }}.is_monitored then 'monitored'
    when {{ h }}.is_assisted then 'assisted'
end
{%- endmacro %}
with aid as (
    select m.household_id, max(t.paid_on) as paid_on
    from matched_civil_affairs__temporary_aid as t
    inner join any_member as m on m.member_id = t.member_id
    where t.outcome = 'linked' and t.paid_on <= {{ as_of }}
    group by m.household_id
),
begun as (
    select distinct household_id
    from counted_retrofit
    where not is_finished
),
damaged as (
    select distinct household_id
    from counted_loss
    where is_unresolved and house_damage in ('2', '3')
        and date_diff('day', occurred_on, {{ as_of }}) > {{ entitlement.damage_days }}
),
event as (
    select
        *,
        has_death or has_casualty or has_loss as has_event,
        greatest(died_on, hurt_on, lost_on) as newest_on
    from entitlement_event
)
select
    'dibao' as scheme,
    {{ of_household() }},
    h.income < h.standard and not h.is_on_tekun as is_entitled,
    {{ maintained("h.is_on_dibao") }} as is_held,
    concat({{ fact("B20", "h.income") }}, '; ', {{ fact("standard", "h.standard") }}) as facts
from entitlement_household as h
union all
select
    'tekun' as scheme,
    {{ of_household() }},
    -- Nobody is known to be entitled to it: what speaks against it is known, the rest is not.
    nullif(
        h.has_no_labour and h.net_income < h.standard * h.size and not h.has_worker
            and u.are_unable,
        true
    ) as is_entitled,
    {{ maintained("h.is_maintained") }} as is_held,
    concat(
        {{ fact("B19", "h.net_income") }}, '; ', {{ fact("standard", "h.standard") }}, '; ',
        {{ fact("B01", "h.size") }}
    ) as facts
from entitlement_household as h
left join entitlement_unable as u on u.household_id = h.household_id
union all
select
    'edge' as scheme,
    {{ of_household() }},
    h.income >= h.standard and h.income < {{ entitlement.edge_factor }} * h.standard
        as is_entitled,
    {{ maintained("h.is_assisted") }} as is_held,
    concat({{ fact("B20", "h.income") }}, '; ', {{ fact("standard", "h.standard") }}) as facts
from entitlement_household as h
union all
select
    'temporary_aid' as scheme,
    {{ of_household() }},
    e.has_event as is_entitled,
    {{ held(
        "a.paid_on >= case when e.has_event then e.newest_on else " ~ entitlement.event_since
        ~ " end", "temporary_aid", "coalesce(w.temporary_aid, false)", read, stale
    ) }} as is_held,
    concat(
        'event=',
        case
            when not coalesce(e.has_event, false) then ''
            when e.died_on = e.newest_on then 'death'
            when e.hurt_on = e.newest_on then 'casualty'
            else 'loss'
        end,
        '; on=',
        case when e.has_event then cast(e.newest_on as varchar) else '' end
    ) as facts
from entitlement_household as h
inner join event as e on e.household_id = h.household_id
left join aid as a on a.household_id = h.household_id
left join entitlement_household_waiting as w on w.household_id = h.household_id
union all
select
    'retrofit' as scheme,
    {{ of_household() }},
    h.is_dangerous and (h.is_lifted or h.is_monitored or h.is_assisted) as is_entitled,
    {{ held(
        "b.household_id is not null", "retrofits", "coalesce(w.retrofits, false)", read, stale
    ) }} as is_held,
    concat({{ fact("R14", "h.dwelling") }}, '; ', {{ fact("group", group("h")) }}) as facts
from entitlement_household as h
left join begun as b on b.household_id = h.household_id
left join entitlement_household_waiting as w on w.household_id = h.household_id
union all
select
    'relief' as scheme,
    {{ of_household() }},
    {{ sought("d.household_id is not null", "losses", "coalesce(w.losses, false)", read) }}
        as is_entitled,
    {{ held("h.needs_relief", "relief", "coalesce(w.relief, false)", read, stale) }} as is_held,
    concat({{ fact("R16", "h.damage") }}) as facts
from entitlement_household as h
left join damaged as d on d.household_id = h.household_id
left join entitlement_household_waiting as w on w.household_id = h.household_id
union all
select
    'living' as scheme,
    m.household_id,
    m.member_id,
    m.has_conflict,
    m.has_certificate and m.is_on_dibao as is_entitled,
    m.gets_living as is_held,
    concat({{ fact("level", "m.level") }}) as facts
from entitlement_member as m
union all
select
    'nursing' as scheme,
    m.household_id,
    m.member_id,
    m.has_conflict,
    m.is_severe as is_entitled,
    m.gets_nursing as is_held,
    concat({{ fact("level", "m.level") }}) as facts
from entitlement_member as m
union all
select
    'medical_aid' as scheme,
    m.household_id,
    m.member_id,
    m.has_conflict,
    m.pays_much and (m.is_monitored or m.is_assisted) as is_entitled,
    m.gets_medical_aid as is_held,
    concat(
        {{ fact("personal_paid", "cast(m.personal_paid as " ~ yuan ~ ")") }}, '; ',
        {{ fact("T", "cast(m.medical_threshold as " ~ yuan ~ ")") }}
    ) as facts
from entitlement_member as m
union all
select
    'insured' as scheme,
    m.household_id,
    m.member_id,
    m.has_conflict,
    m.has_number and (m.is_lifted or m.is_monitored or m.is_assisted) as is_entitled,
    m.is_insured as is_held,
    concat({{ fact("group", group("m")) }}) as facts
from entitlement_member as m
{% if "student_aid" in read %}
union all
select
    'student_aid' as scheme,
    m.household_id,
    m.member_id,
    m.has_conflict,
    coalesce(m.student_status in ('1', '2', '3', '4'), false)
        and (m.is_monitored or m.is_still_entitled)
        and case when m.had_student_aid or not {{ support.term_begins }} then true end
        as is_entitled,
    m.gets_student_aid as is_held,
    concat(
        {{ fact("student_status", "m.student_status") }}, '; term={{ support.asked_term }}'
    ) as facts
from entitlement_member as m
{% endif %}
