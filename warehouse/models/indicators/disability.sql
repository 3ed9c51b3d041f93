{#-
R11 to R13: severe disability, several disabled, a subsidy that is not paid.

table: indicators_disability
grain: household
key: household_id
same day: register_household, subsidy_entitlement, valid_certificate
-#}
with disabled as (
    select
        household_id,
        cast(count(distinct member_id) as integer) as persons,
        cast(count(distinct case when is_severe then member_id end) as integer) as severe
    from valid_certificate
    group by household_id
),
unpaid as (
    select household_id, cast(count(distinct member_id) as integer) as persons
    from subsidy_entitlement
    where is_unpaid
    group by household_id
)
select
    r.household_id,
    coalesce(d.severe, 0) as r11_severe_disability_count,
    coalesce(d.persons, 0) as r12_disabled_count,
    coalesce(u.persons, 0) as r13_subsidy_gap_count
from register_household as r
left join disabled as d on d.household_id = r.household_id
left join unpaid as u on u.household_id = r.household_id
