{#-
Rates per county and town (通报): each area's own, from the households that lie in it; of a county
also those in no known town, which have a row of their own (000).

table: bulletin_rate
grain: area
key: area_code, measure
same day: active_member, case_progress, chronic_followup, enrolment_of_year, household_indicator,
    household_place, matched_rural_revitalisation__households, warning_flag
asked: source_state
parameters: cleared, codes, measures, recorded
-#}
{% from "indicators/exact.jinja" import ratio %}
with insured as (
    select distinct member_id
    from enrolment_of_year
    where insures
),
enrolled as (
    select m.household_id, count(i.member_id) as insured, count(*) as persons
    from active_member as m
    left join insured as i on i.member_id = m.member_id
    group by m.household_id
),
-- A patient with two diseases is one; whoever has a contract with a family doctor is signed.
patient as (
    select household_id, member_id, max(case when signed then 1 else 0 end) as signed
    from chronic_followup
    where disease in ({{ codes.chronic_signed_rate }})
    group by household_id, member_id
),
signed as (
    select household_id, sum(signed) as signed, count(*) as patients
    from patient
    group by household_id
),
recorded as (
    select
        c.household_id,
        count(*) as cases,
        count(*) filter (where c.stage = {{ cleared }}) as cleared
    from case_progress as c
    where c.stage >= {{ recorded }}
    group by c.household_id
),
credit as (
    select household_id
    from matched_rural_revitalisation__households
    where microcredit in ({{ codes.microcredit_rate }})
),
fact as (
    select
        substr(p.village, 1, 9) as town,
        case when f.level = 'red' then 1 else 0 end as red_rate_part,
        case when f.level <> 'none' then 1 else 0 end as red_rate_whole,
        coalesce(e.insured, 0) as insured_rate_part,
        coalesce(e.persons, 0) as insured_rate_whole,
        coalesce(s.signed, 0) as chronic_signed_rate_part,
        coalesce(s.patients, 0) as chronic_signed_rate_whole,
        case
            when i.b11_monitor_class <> '0' and i.s18_measure_count >= 1 then 1
            else 0
        end as support_rate_part,
        case when i.b11_monitor_class <> '0' then 1 else 0 end as support_rate_whole,
        case
            when i.b10_household_type in ('2', '3') and c.household_id is not null then 1
            else 0
        end as microcredit_rate_part,
        case when i.b10_household_type in ('2', '3') then 1 else 0 end as microcredit_rate_whole,
        coalesce(r.cleared, 0) as clearance_rate_households_part,
        coalesce(r.cases, 0) as clearance_rate_households_whole,
        coalesce(r.cleared, 0) * p.member_count as clearance_rate_persons_part,
        coalesce(r.cases, 0) * p.member_count as clearance_rate_persons_whole
    from household_place as p
    left join warning_flag as f on f.household_id = p.household_id
    left join household_indicator as i on i.household_id = p.household_id
    left join enrolled as e on e.household_id = p.household_id
    left join signed as s on s.household_id = p.household_id
    left join recorded as r on r.household_id = p.household_id
    left join credit as c on c.household_id = p.household_id
    where p.is_in_county
),
by_town as (
    select
        town,
{% for m in measures %}
        sum({{ m.name }}_part) as {{ m.name }}_part,
        sum({{ m.name }}_whole) as {{ m.name }}_whole{{ "," if not loop.last }}
{% endfor %}
    from fact
    group by town
),
by_area as (
    select town as area_code, * from by_town
    union all
    select substr(town, 1, 6) as area_code, * from by_town
),
measured as (
{% for m in measures %}
    select
        area_code,
        '{{ m.name }}' as measure,
        {{ "false" if m.is_unseen else "true" }} as is_seen,
        {{ "true" if m.is_lowest_best else "false" }} as is_lowest_best,
        sum({{ m.name }}_part) as part,
        sum({{ m.name }}_whole) as whole
    from by_area
    group by area_code
    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    area_code,
    measure,
    is_lowest_best,
    cast(case when is_seen then part end as integer) as numerator,
    cast(whole as integer) as denominator,
    cast(case when is_seen then {{ ratio("part", "whole") }} end as decimal(5,4)) as rate
from measured
