{#-
S01 to S18: what keeps a household from falling.

table: indicators_resilience
grain: household
key: household_id
as: view
same day: active_member, chronic_followup, counted_retrofit, household_record, indicators_basic,
    indicators_disability, indicators_medical, known_enrolment, lived_in_dwelling, net_settlement,
    scheme_in_force, subsidy_entitlement
parameters: as_of, income_source_share
changes on: matched_rural_revitalisation__households.last_visit_on at day,
    matched_rural_revitalisation__households.last_visit_on at visit
-#}
{% from "indicators/exact.jinja" import ratio, yuan, members, complete_sum %}
{% set incomes = (
    "b15_wage_income", "b16_business_net_income", "b17_property_income", "b18_transfer_income"
) %}
with people as (
    select
        household_id,
        case when count(work_months) > 0
            then {{ members("working_now", "has_stable_job") }}
        end as stable_jobs,
        {{ members("public_post", "public_post") }} as public_posts,
        {{ members("labour_class", "is_skilled") }} as skilled,
        {{ members("pension", "pension") }} as pensions
    from active_member
    group by household_id
),
settled as (
    select
        household_id,
        sum(total_fee) as total_fee,
        sum(fund_paid) as fund_paid,
        {{ complete_sum("critical_illness_paid") }} as critical_illness_paid
    from net_settlement
    group by household_id
),
supported as (
    select distinct household_id
    from scheme_in_force
    where is_dibao_or_tekun
),
known as (
    select household_id, count(is_insured) as judged
    from known_enrolment
    group by household_id
),
entitled as (
    select distinct household_id from subsidy_entitlement
),
chronic as (
    select household_id, count(*) as diseases, count(*) filter (where signed) as signed
    from chronic_followup
    group by household_id
),
dwelling as (
    select
        household_id,
        count(*) = count(*) filter (where is_safe) as all_safe
    from lived_in_dwelling
    group by household_id
),
finished as (
    select distinct household_id
    from counted_retrofit
    where is_finished
),
visited as (
    select
        household_id,
        microcredit,
        cooperative_link,
        cast(measures_count as integer) as measures_count,
        case
            when last_visit_on <= {{ as_of }}
                then cast(date_diff('day', last_visit_on, {{ as_of }}) as integer)
        end as days_since_visit
    from household_record
)
select
    b.household_id,
    p.stable_jobs as s01_stable_job_count,
    p.public_posts as s02_public_post_count,
    p.skilled as s03_skilled_count,
    case when b.b19_net_income > 0 then
{% for income in incomes %}
        {{ "+ " if not loop.first }}case
            when b.{{ income }} > {{ income_source_share }} * b.b19_net_income then 1
            else 0
        end
{% endfor %}
    end as s04_income_source_count,
    case
        when b.b19_net_income is null then 'missing'
        when b.b19_net_income > 0 then 'ok'
        else 'not_applicable'
    end as s04_state,
    b.b24_line_ratio as s05_income_margin,
    su.household_id is not null as s06_dibao_or_tekun,
    {{ ratio("se.fund_paid", "se.total_fee") }} as s07_reimbursement_rate,
    case when se.total_fee > 0 then 'ok' else 'not_applicable' end as s07_state,
    m.r06_uninsured_count = 0 and k.judged > 0 as s08_all_insured,
    case when k.household_id is null then 'not_applicable' else 'ok' end as s08_state,
    case
        when se.household_id is null then 0
        else {{ yuan("se.critical_illness_paid") }}
    end as s09_critical_illness_paid,
    e.household_id is not null and d.r13_subsidy_gap_count = 0 as s10_subsidies_paid,
    {{ ratio("c.signed", "c.diseases") }} as s11_family_doctor_rate,
    case when c.household_id is null then 'not_applicable' else 'ok' end as s11_state,
    dw.all_safe as s12_safe_house,
    case when dw.household_id is null then 'not_applicable' else 'ok' end as s12_state,
    f.household_id is not null or b.b12_relocated as s13_rehoused,
    p.pensions as s14_pension_count,
    case
        when b.b21_eligible_self_pay > 0
            then {{ ratio("b.b22_claims_income", "b.b21_eligible_self_pay") }}
    end as s15_claims_cover,
    case
        when b.b22_claims_income is null then 'missing'
        when b.b21_eligible_self_pay > 0 then 'ok'
        else 'not_applicable'
    end as s15_state,
    v.microcredit = '1' as s16_microcredit_usable,
    v.cooperative_link as s17_cooperative_link,
    v.measures_count as s18_measure_count,
    v.days_since_visit as _days_since_visit
from indicators_basic as b
left join indicators_medical as m on m.household_id = b.household_id
left join indicators_disability as d on d.household_id = b.household_id
left join people as p on p.household_id = b.household_id
left join settled as se on se.household_id = b.household_id
left join supported as su on su.household_id = b.household_id
left join known as k on k.household_id = b.household_id
left join entitled as e on e.household_id = b.household_id
left join chronic as c on c.household_id = b.household_id
left join dwelling as dw on dw.household_id = b.household_id
left join finished as f on f.household_id = b.household_id
left join visited as v on v.household_id = b.household_id
