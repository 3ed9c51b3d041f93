{#-
Households with an active member as the lines of entitlement see them. What is not known is null;
whether nobody has a scheme is not known while a record waits with the household, or where none was
ever read.

table: entitlement_household
grain: household
key: household_id
same day: crosscheck_active, crosscheck_home, household, household_indicator, indicators_medical,
    scheme_in_force, waiting_record
asked: source_state
parameters: read
-#}
{% from "entitlement/known.jinja" import sought %}
with scheme as (
    select
        household_id,
        count(*) filter (where scheme = 'dibao') as dibao,
        count(*) filter (where scheme = 'tekun') as tekun
    from scheme_in_force
    group by household_id
),
waiting as (
    select distinct household_id
    from waiting_record
    where records = 'assistance'
),
conflict as (
    select
        household_id,
        count(*) filter (where has_conflict) as conflicts,
        count(*) filter (where working_now) as workers
    from crosscheck_active
    group by household_id
)
select
    h.household_id,
    h.area_code,
    h.is_shell,
    i.b01_household_size as size,
    i.b19_net_income as net_income,
    i.b20_net_income_per_capita as income,
    i.b24_line_ratio as line_ratio,
    i.r14_dangerous_house as dwelling,
    case
        when list_contains(i.not_applicable, 'R14') then false
        else i.r14_dangerous_house in ('C', 'D')
    end as is_dangerous,
    i.r16_house_damage as damage,
    i.r20_no_labour as has_no_labour,
    i.r24_disaster_loss_share as loss_share,
    i.r26_needs_relief as needs_relief,
    x.dibao_standard as standard,
    m._medical_threshold as medical_threshold,
    i.b10_household_type in ('2', '3') as is_lifted,
    i.b10_household_type = '2' as is_still_entitled,
    i.b11_monitor_class <> '0' as is_monitored,
    {{ sought("s.household_id is not null", "assistance", "w.household_id is not null", read) }}
        as is_assisted,
    {{ sought("s.dibao > 0", "assistance", "w.household_id is not null", read) }} as is_on_dibao,
    {{ sought("s.tekun > 0", "assistance", "w.household_id is not null", read) }} as is_on_tekun,
    {{ sought("s.dibao + s.tekun > 0", "assistance", "w.household_id is not null", read) }}
        as is_maintained,
    s.household_id is not null as has_scheme,
    coalesce(s.dibao > 0, false) as has_dibao,
    coalesce(c.conflicts > 0, false) as has_conflict,
    coalesce(c.workers > 0, false) as has_worker
from household as h
inner join household_indicator as i on i.household_id = h.household_id
left join crosscheck_home as x on x.household_id = h.household_id
left join indicators_medical as m on m.household_id = h.household_id
left join scheme as s on s.household_id = h.household_id
left join waiting as w on w.household_id = h.household_id
left join conflict as c on c.household_id = h.household_id
where h.member_count > 0
