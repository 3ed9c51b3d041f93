{#-
Households with an active member as the rules see them: the register's row (none in a shell), the
stored indicators, the schemes in force, the dibao standard of the place, and the case.

table: crosscheck_home
grain: household
key: household_id
same day: crosscheck_case, household_indicator, household_record, scheme_in_force
reference: dibao_standard
parameters: as_of
-#}
with scheme as (
    select
        household_id,
        count(*) filter (where is_dibao) > 0 as is_on_dibao,
        count(*) filter (where is_dibao_or_tekun) > 0 as is_on_dibao_or_tekun
    from scheme_in_force
    group by household_id
)
select
    i.household_id,
    h.household_type,
    h.monitor_class,
    h.monitor_cleared,
    h.relocated,
    h.farmland_mu,
    h.forest_mu,
    h.wage_income,
    h.microcredit,
    h.measures_count,
    case when h.last_visit_on <= {{ as_of }} then h.last_visit_on end as last_visit_on,
    i.b01_household_size,
    i.b03_labour_count,
    i.b08_student_count,
    i.b11_monitor_class,
    i.b20_net_income_per_capita,
    i.b24_line_ratio,
    i.r04_personal_medical_max,
    i.r06_uninsured_count,
    i.r07_serious_illness_count,
    i.r09_inpatient_count,
    i.r12_disabled_count,
    i.r14_dangerous_house,
    i.r16_house_damage,
    i.r17_unsafe_water,
    i.r18_dropout_count,
    i.r20_no_labour,
    i.r21_job_loss_share,
    list_contains(i.not_applicable, 'R21') as r21_is_not_applicable,
    i.r24_disaster_loss_share,
    i.r25_casualty_count,
    i.r26_needs_relief,
    i.r30_open_report,
    coalesce(sc.yuan, sp.yuan) as dibao_standard,
    s.household_id is not null as is_on_scheme,
    coalesce(s.is_on_dibao, false) as is_on_dibao,
    coalesce(s.is_on_dibao_or_tekun, false) as is_on_dibao_or_tekun,
    c.case_id,
    c.monitor_class as case_class,
    c.risk_types as case_risk_types,
    c.stage as case_stage,
    c.recorded_on as case_recorded_on,
    c.assisted_on as case_assisted_on,
    c.cleared_on as case_cleared_on,
    c.clearance as case_clearance,
    c.is_cleared as case_is_cleared,
    c.is_cleared_in_window as case_is_cleared_in_window,
    c.is_open as case_is_open,
    c.is_recorded as case_is_recorded,
    c.is_new as case_is_new
from household_indicator as i
left join household_record as h on h.household_id = i.household_id
left join scheme as s on s.household_id = i.household_id
left join crosscheck_case as c on c.household_id = i.household_id
left join dibao_standard as sc on sc.area = substr(i.area_code, 1, 6)
left join dibao_standard as sp on sp.area = substr(i.area_code, 1, 2)
where i.b01_household_size > 0
