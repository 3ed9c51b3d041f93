{#-
B01 to B24: the household as the register has it, and its income.

table: indicators_basic
grain: household
key: household_id
same day: active_member, household_record, net_settlement, register_household
reference: monitoring_line
parameters: child_under_age, elder_age, resident_months, weak_labour_weight
-#}
{% from "indicators/exact.jinja" import ratio, yuan, members %}
with people as (
    select
        household_id,
        {{ members("resident_months", "resident_months >= " ~ resident_months) }} as residents,
        {{ members("labour_class", "is_labour") }} as labour,
        {{ members("labour_class", "labour_class = '3'") }} as weak_labour,
        {{ members("age", "age >= " ~ elder_age) }} as elders,
        {{ members("age", "age < " ~ child_under_age) }} as children,
        {{ members("student_status", "student_status <> '0'") }} as students,
        {{ members("student_status", "student_status in ('3', '4')") }} as noncompulsory
    from active_member
    group by household_id
),
medical as (
    select
        household_id,
        sum(
            case when in_scope > fund_paid then in_scope - fund_paid else 0 end
        ) as eligible_self_pay
    from net_settlement
    group by household_id
),
counted as (
    select
        r.household_id,
        r.area_code,
        r.active_count,
        p.residents,
        p.labour,
        p.weak_labour,
        p.elders,
        p.children,
        p.students,
        p.noncompulsory,
        p.labour + {{ weak_labour_weight }} * p.weak_labour as equivalents,
        coalesce(m.eligible_self_pay, 0) as eligible_self_pay,
        coalesce(lc.yuan, lp.yuan) as line
    from register_household as r
    left join people as p on p.household_id = r.household_id
    left join medical as m on m.household_id = r.household_id
    left join monitoring_line as lc on lc.area = substr(r.area_code, 1, 6)
    left join monitoring_line as lp on lp.area = substr(r.area_code, 1, 2)
),
given as (
    select
        household_id,
        household_type,
        case when monitor_cleared then '0' else monitor_class end as monitor_class,
        relocated,
        farmland_mu,
        forest_mu,
        wage_income,
        {{ yuan("coalesce(business_income, 0) - coalesce(business_expense, 0)") }} as business_net,
        coalesce(property_income, 0) as property_income,
        transfer_income,
        coalesce(claims_income, 0) as claims_income
    from household_record
),
income as (
    select
        *,
        {{ yuan("wage_income + business_net + property_income + transfer_income") }} as net_income
    from given
),
per_head as (
    select
        i.household_id,
        {{ ratio("i.net_income", "c.active_count", 2) }} as net,
        {{ ratio(
            "i.net_income + i.claims_income - " ~ yuan("c.eligible_self_pay"), "c.active_count", 2
        ) }} as reference
    from income as i
    inner join counted as c on c.household_id = i.household_id
)
select
    c.household_id,
    c.active_count as b01_household_size,
    c.residents as b02_resident_count,
    c.labour as b03_labour_count,
    c.weak_labour as b04_weak_labour_count,
    {{ ratio("c.active_count - c.equivalents", "c.equivalents") }} as b05_dependency_ratio,
    case
        when c.equivalents is null then 'missing'
        when c.equivalents = 0 then 'not_applicable'
        else 'ok'
    end as b05_state,
    c.elders as b06_elder_count,
    c.children as b07_child_count,
    c.students as b08_student_count,
    c.noncompulsory as b09_noncompulsory_student_count,
    i.household_type as b10_household_type,
    i.monitor_class as b11_monitor_class,
    i.relocated as b12_relocated,
    i.farmland_mu as b13_farmland,
    i.forest_mu as b14_forest,
    i.wage_income as b15_wage_income,
    i.business_net as b16_business_net_income,
    i.property_income as b17_property_income,
    i.transfer_income as b18_transfer_income,
    i.net_income as b19_net_income,
    h.net as b20_net_income_per_capita,
    {{ yuan("c.eligible_self_pay") }} as b21_eligible_self_pay,
    i.claims_income as b22_claims_income,
    h.reference as b23_reference_income_per_capita,
    {{ ratio("h.reference", "c.line") }} as b24_line_ratio
from counted as c
left join income as i on i.household_id = c.household_id
left join per_head as h on h.household_id = c.household_id
