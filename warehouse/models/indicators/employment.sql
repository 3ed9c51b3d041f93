{#-
R20 to R23: nobody who can work, work lost, one earner, a business that failed.

table: indicators_employment
grain: household
key: household_id
as: view
same day: active_member, household_record, indicators_basic
parameters: single_earner_share
-#}
{% from "indicators/exact.jinja" import ratio, members %}
with people as (
    select
        household_id,
        count(worked_before) as known_before,
        count(working_now) as known_now,
        count(*) filter (where worked_before) as worked_before,
        count(*) filter (where worked_before and not working_now) as lost,
        {{ members("working_now", "working_now") }} as working_now
    from active_member
    group by household_id
)
select
    b.household_id,
    b.b03_labour_count + b.b04_weak_labour_count = 0 as r20_no_labour,
    case when p.known_before > 0 and p.known_now > 0 and p.worked_before > 0
        then {{ ratio("p.lost", "p.worked_before") }}
    end as r21_job_loss_share,
    case
        when p.known_before = 0 or p.known_now = 0 then 'missing'
        when p.worked_before = 0 then 'not_applicable'
        else 'ok'
    end as r21_state,
    p.working_now = 1
        and b.b19_net_income > 0
        and b.b15_wage_income >= {{ single_earner_share }} * b.b19_net_income as r22_single_earner,
    b.b16_business_net_income as r23_business_failure,
    h.previous_business_net as _previous_business_net
from indicators_basic as b
left join people as p on p.household_id = b.household_id
left join household_record as h on h.household_id = b.household_id
