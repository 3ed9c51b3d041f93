{#-
Who is entitled to what, and does it arrive (应享尽享): met; a gap, with the step that is lacking; held
beyond what is known, which is a question; or unknown.

table: entitlement
kept: flags
publishes: entitlement
grain: household
key: entitlement_id
order: entitlement_id
same day: entitlement_standing, entitlement_today, household
reference: entitlement_scheme
-#}
select
    t.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    t.entitlement_id,
    t.member_id,
    t.scheme,
    t.state,
    t.gap_at,
    s.since,
    r.basis,
    t.facts,
    r.department
from entitlement_today as t
inner join entitlement_scheme as r on r.scheme = t.scheme
inner join entitlement_standing as s on s.entitlement_id = t.entitlement_id and s.state = t.state
left join household as h on h.household_id = t.household_id
