{#-
The valid certificates of who is entitled to a disability subsidy, and whether one is not paid.

table: entitling_certificate
grain: record
key: record_id
as: view
same day: subsidy_entitlement, valid_certificate
records: certificates
counted by: R13 where has_gap, S10
-#}
with entitled as (
    select member_id, count(*) filter (where is_unpaid) > 0 as has_gap
    from subsidy_entitlement
    group by member_id
)
select c.household_id, c.record_id, e.has_gap, c._arrived_on
from valid_certificate as c
inner join entitled as e on e.member_id = c.member_id
