{#-
Who is entitled to which disability subsidy, and what was paid for the month of the day and the two before.
Nursing: a latest certificate of level 1 or 2. Living: a valid certificate in a household on dibao.
Without the candidates of a certificate, subsidy or assistance record that waits.

table: subsidy_entitlement
grain: member
key: member_id, subsidy
same day: matched_civil_affairs__disability_subsidies, scheme_in_force, valid_certificate,
    waiting_candidate
parameters: subsidy_months
-#}
with entitled as (
    select household_id, member_id, 'nursing' as subsidy
    from valid_certificate
    where is_latest and level in ('1', '2')
    union all
    select distinct c.household_id, c.member_id, 'living' as subsidy
    from valid_certificate as c
    inner join scheme_in_force as a on a.household_id = c.household_id
    where a.scheme = 'dibao'
),
paid as (
    select member_id, subsidy, sum(amount) as amount
    from matched_civil_affairs__disability_subsidies
    where outcome = 'linked' and month in ({{ subsidy_months }})
    group by member_id, subsidy
),
waiting as (
    select distinct member_id
    from waiting_candidate
    where records in ('certificates', 'disability_subsidies', 'assistance')
)
select e.household_id, e.member_id, e.subsidy, coalesce(p.amount, 0) as paid_amount
from entitled as e
left join paid as p on p.member_id = e.member_id and p.subsidy = e.subsidy
left join waiting as w on w.member_id = e.member_id
where w.member_id is null
