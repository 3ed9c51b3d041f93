{#-
Households in which one award of dibao was in force on every day of the last two full months, and
nothing of it was paid for them: where no payment waits, the payments are neither stale nor missing,
and at least half of the county's households so awarded were paid something.

table: entitlement_unpaid
grain: household
key: household_id, scheme
same day: any_member, entitlement_household, entitlement_household_waiting, household,
    matched_civil_affairs__assistance, past_payment
asked: source_state
parameters: as_of, crosscheck, read, stale, support
-#}
with awarded as (
    select distinct h.household_id, substr(h.area_code, 1, 6) as county
    from matched_civil_affairs__assistance as a
    inner join any_member as m on m.member_id = a.member_id
    inner join household as h on h.household_id = m.household_id
    where a.outcome = 'linked' and a.scheme = 'dibao' and a.started_on <= {{ as_of }}
        and a.started_on <= {{ support.awarded_days[0] }}
        and (a.ended_on is null or a.ended_on >= {{ support.awarded_days[-1] }})
),
paid as (
    select household_id, sum(amount) as amount
    from past_payment
    where scheme = 'dibao' and of_month in ({{ support.awarded_months }})
    group by household_id
),
county as (
    select a.county, count(*) as awards, count(p.household_id) as told
    from awarded as a
    left join paid as p on p.household_id = a.household_id
    group by a.county
)
select a.household_id, 'dibao' as scheme
from awarded as a
inner join county as c on c.county = a.county
inner join entitlement_household as h on h.household_id = a.household_id
left join paid as p on p.household_id = a.household_id
left join entitlement_household_waiting as w on w.household_id = a.household_id
where {{ "true" if "payments" in read and "payments" not in stale else "false" }}
    and coalesce(p.amount, 0) <= 0
    and c.told >= {{ crosscheck.X73.least_share }} * c.awards
    and not coalesce(w.payments, false)
