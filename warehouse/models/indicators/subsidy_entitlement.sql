{#-
Who is entitled to which disability subsidy, and whether nothing is left of what was paid for the
last months. Nursing: a latest certificate of level 1 or 2. Living: a valid certificate in a
household on dibao. Without the candidates of a certificate, subsidy or assistance record that
waits.

table: subsidy_entitlement
grain: member
key: member_id, subsidy
same day: scheme_in_force, subsidy_payment, valid_certificate, waiting_candidate
-#}
with entitled as (
    select household_id, member_id, 'nursing' as subsidy
    from valid_certificate
    where is_severe
    union all
    select distinct c.household_id, c.member_id, 'living' as subsidy
    from valid_certificate as c
    inner join scheme_in_force as a on a.household_id = c.household_id
    where a.is_dibao
),
paid as (
    select member_id, subsidy, sum(amount) as amount
    from subsidy_payment
    group by member_id, subsidy
),
waiting as (
    select distinct member_id
    from waiting_candidate
    where records in ('certificates', 'disability_subsidies', 'assistance')
)
select e.household_id, e.member_id, e.subsidy, coalesce(p.amount, 0) <= 0 as is_unpaid
from entitled as e
left join paid as p on p.member_id = e.member_id and p.subsidy = e.subsidy
left join waiting as w on w.member_id = e.member_id
where w.member_id is null
