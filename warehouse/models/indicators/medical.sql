{#-
R04 to R10: what illness costs, who is not insured, who is ill.

table: indicators_medical
grain: household
key: household_id
same day: chronic_followup, indicators_basic, known_enrolment, member_payment, scheme_in_force,
    serious_illness
parameters: medical_threshold
-#}
{% from "indicators/exact.jinja" import ratio, yuan %}
with settled as (
    select
        household_id,
        max(personal_paid) filter (where is_largest) as largest,
        sum(personal_paid) as personal_paid,
        cast(sum(inpatient) as integer) as inpatient
    from member_payment
    group by household_id
),
assisted as (
    select distinct household_id from scheme_in_force
),
uninsured as (
    select household_id, cast(count(*) filter (where not is_insured) as integer) as persons
    from known_enrolment
    group by household_id
),
ill as (
    select
        household_id,
        cast(count(distinct case when is_treated then member_id end) as integer) as persons
    from serious_illness
    group by household_id
),
chronic as (
    select
        household_id,
        cast(count(distinct case when has_gap then member_id end) as integer) as gaps,
        cast(count(distinct case when is_severe_mental then member_id end) as integer)
            as severe_mental
    from chronic_followup
    group by household_id
)
select
    b.household_id,
    {{ yuan("coalesce(s.largest, 0)") }} as r04_personal_medical_max,
    cast(case
        when b.b10_household_type in ('2', '3')
            or b.b11_monitor_class <> '0'
            or a.household_id is not null
            then {{ medical_threshold.supported }}
        else {{ medical_threshold.general }}
    end as decimal(16,2)) as _medical_threshold,
    case
        when b.b19_net_income > 0
            then {{ ratio("coalesce(s.personal_paid, 0)", "b.b19_net_income") }}
        when b.b19_net_income <= 0
            then cast(case when s.personal_paid > 0 then 1 else 0 end as decimal(12,4))
    end as r05_medical_burden,
    coalesce(u.persons, 0) as r06_uninsured_count,
    coalesce(i.persons, 0) as r07_serious_illness_count,
    coalesce(c.gaps, 0) as r08_chronic_gap_count,
    coalesce(s.inpatient, 0) as r09_inpatient_count,
    coalesce(c.severe_mental, 0) as r10_severe_mental_count
from indicators_basic as b
left join settled as s on s.household_id = b.household_id
left join assisted as a on a.household_id = b.household_id
left join uninsured as u on u.household_id = b.household_id
left join ill as i on i.household_id = b.household_id
left join chronic as c on c.household_id = b.household_id
