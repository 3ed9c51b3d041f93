{#-
The valid certificates of who is disabled, severely so, or entitled to a subsidy.

table: evidence_certificates
grain: record
key: household_id, code, record_id
as: view
same day: scored_point, subsidy_entitlement, valid_certificate
-#}
with entitled as (
    select member_id, min(paid_amount) <= 0 as has_gap
    from subsidy_entitlement
    group by member_id
)
select p.household_id, p.code, 'certificates' as records, c.record_id, c._arrived_on
from scored_point as p
inner join valid_certificate as c on c.household_id = p.household_id
left join entitled as e on e.member_id = c.member_id
where p.code = 'R12'
    or (p.code = 'R11' and c.is_latest and c.level in ('1', '2'))
    or (p.code = 'R13' and e.has_gap)
    or (p.code = 'S10' and e.member_id is not null)
