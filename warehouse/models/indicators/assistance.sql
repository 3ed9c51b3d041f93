{#-
R27 to R30: edge or rigid, dibao that is due, the death of who earned, a report left open.

table: indicators_assistance
grain: household
key: household_id
as: view
same day: any_member, indicators_basic, open_report, register_household, scheme_in_force,
    waiting_candidate
reference: dibao_standard
-#}
with scheme as (
    select
        household_id,
        count(*) filter (where is_edge_or_rigid) > 0 as on_edge,
        count(*) filter (where is_dibao_or_tekun) > 0 as on_dibao
    from scheme_in_force
    group by household_id
),
waiting as (
    select distinct household_id
    from waiting_candidate
    where records = 'assistance'
),
breadwinner as (
    select household_id, cast(count(*) filter (where is_lost_earner) as integer) as persons
    from any_member
    group by household_id
),
report as (
    select household_id, max(age_days) as age_days
    from open_report
    group by household_id
)
select
    b.household_id,
    coalesce(s.on_edge, false) as r27_edge_or_rigid,
    b.b20_net_income_per_capita < coalesce(sc.yuan, sp.yuan)
        and not coalesce(s.on_dibao, false)
        and q.household_id is null as r28_dibao_gap,
    coalesce(w.persons, 0) as r29_breadwinner_death,
    p.age_days as r30_open_report,
    case when p.household_id is null then 'not_applicable' else 'ok' end as r30_state
from indicators_basic as b
inner join register_household as r on r.household_id = b.household_id
left join dibao_standard as sc on sc.area = substr(r.area_code, 1, 6)
left join dibao_standard as sp on sp.area = substr(r.area_code, 1, 2)
left join scheme as s on s.household_id = b.household_id
left join waiting as q on q.household_id = b.household_id
left join breadwinner as w on w.household_id = b.household_id
left join report as p on p.household_id = b.household_id
