{#-
Households that were cleared not long ago: watched whatever their score.

table: watch
kept: flags
publishes: watch
grain: household
key: household_id
order: household_id
same day: past_case, support_household
reference: month_term
asked: source_state
parameters: as_of, read
-#}
with newest as (
    select household_id, max(cleared_on) as cleared_on
    from past_case
    group by household_id
)
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    n.cleared_on,
    t.watched_until as until
from newest as n
inner join month_term as t on t.cleared_on = n.cleared_on
inner join support_household as h on h.household_id = n.household_id
where t.watched_until >= {{ as_of }} and {{ "true" if "cases" in read else "false" }}
