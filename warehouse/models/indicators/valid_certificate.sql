{#-
Valid disability certificates of active members; the latest issued one of each tells the level.

table: valid_certificate
grain: record
key: record_id
same day: active_member, matched_disability_federation__certificates
clock: matched_disability_federation__certificates
parameters: as_of
records: certificates
counted by: R11 where is_severe, R12
changes on: matched_disability_federation__certificates.issued_on at day,
    matched_disability_federation__certificates.expires_on at end
-#}
with certificate as (
    select
        m.household_id,
        c.member_id,
        c.record_id,
        c.category,
        c.level,
        row_number() over (
            partition by c.member_id order by c.issued_on desc, c.updated_at desc, c.record_id desc
        ) = 1 as is_latest,
        c._arrived_on
    from matched_disability_federation__certificates as c
    inner join active_member as m on m.member_id = c.member_id
    where c.outcome = 'linked' and c.status = '1' and c.issued_on <= {{ as_of }}
        and (c.expires_on is null or c.expires_on >= {{ as_of }})
)
select *, is_latest and level in ('1', '2') as is_severe
from certificate
