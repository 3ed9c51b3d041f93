{#-
Households that were cleared and came back within a year: by a new case, or by a lamp that turned
red by its score and was not red when they were cleared.

table: relapse
kept: flags
publishes: relapse
grain: household
key: household_id, cleared_on
order: household_id, cleared_on
same day: lamp_span, past_case, support_household
reference: month_term
asked: source_state
parameters: read
-#}
with cleared as (
    select distinct c.household_id, c.cleared_on, t.relapse_until
    from past_case as c
    inner join month_term as t on t.cleared_on = c.cleared_on
),
new_case as (
    select c.household_id, c.cleared_on, min(n.discovered_on) as case_on
    from cleared as c
    inner join past_case as n on n.household_id = c.household_id
    where not n.is_rejected and n.discovered_on > c.cleared_on
        and n.discovered_on <= c.relapse_until
    group by c.household_id, c.cleared_on
),
lamp as (
    select
        c.household_id,
        c.cleared_on,
        s.level,
        row_number() over (
            partition by c.household_id, c.cleared_on order by s.from_on desc
        ) as place
    from cleared as c
    inner join lamp_span as s on s.household_id = c.household_id and s.from_on <= c.cleared_on
),
red_lamp as (
    select c.household_id, c.cleared_on, min(s.from_on) as lamp_on
    from cleared as c
    inner join lamp as l
        on l.household_id = c.household_id and l.cleared_on = c.cleared_on
    inner join lamp_span as s on s.household_id = c.household_id
    where l.place = 1 and l.level <> 'red' and s.level = 'red' and not s.is_held
        and s.from_on > c.cleared_on and s.from_on <= c.relapse_until
    group by c.household_id, c.cleared_on
),
back as (
    select
        c.household_id, c.cleared_on, least(n.case_on, r.lamp_on) as red_on
    from cleared as c
    left join new_case as n on n.household_id = c.household_id and n.cleared_on = c.cleared_on
    left join red_lamp as r on r.household_id = c.household_id and r.cleared_on = c.cleared_on
    where n.case_on is not null or r.lamp_on is not null
)
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    b.cleared_on,
    b.red_on,
    cast(date_diff('day', b.cleared_on, b.red_on) as integer) as days
from back as b
inner join support_household as h on h.household_id = b.household_id
where {{ "true" if "cases" in read else "false" }}
