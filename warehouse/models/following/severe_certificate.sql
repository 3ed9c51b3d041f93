{#-
The certificates that R11 counts: of each active member the latest issued valid one, where it is of
level 1 or 2.

table: severe_certificate
grain: member
key: member_id
same day: matched_disability_federation__certificates, valid_certificate
-#}
select v.household_id, v.member_id, c.issued_on
from valid_certificate as v
inner join matched_disability_federation__certificates as c
    on c.record_id = v.record_id and c.member_id = v.member_id
where v.is_severe
