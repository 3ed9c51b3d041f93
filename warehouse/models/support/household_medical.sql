{#-
What the settlements of W come to in each household with an active member: who had some, what they
cost, who paid.

table: household_medical
grain: household
key: household_id
same day: net_settlement, support_household
-#}
select
    n.household_id,
    count(distinct n.member_id) as persons,
    count(*) filter (where n.is_inpatient) as inpatient_times,
    sum(n.total_fee) as total_fee,
    sum(n.in_scope) as in_scope,
    sum(n.pooled_paid) as pooled_paid,
    sum(n.critical_illness_paid) as critical_illness_paid,
    sum(n.medical_aid_paid) as medical_aid_paid,
    sum(n.personal_paid) as personal_paid,
    sum(n.fund_paid) as fund_paid,
    coalesce(sum(case when n.is_inpatient then n.fund_paid end), 0) as inpatient_fund_paid,
    coalesce(sum(case when n.is_inpatient then n.in_scope end), 0) as inpatient_in_scope
from net_settlement as n
inner join support_household as h on h.household_id = n.household_id
group by n.household_id
