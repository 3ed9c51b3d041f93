{#-
What the offices are asked: open and confirmed contradictions of rules that are listed and do not
rest (of a resting one, those drawn by lot). Kept for 13 months after the last day on a list;
those of today have `listed_on` today.

table: contradiction_list
kept: flags
grain: all
key: contradiction_id
order: contradiction_id
same day: contradiction, contradiction_accuracy, contradiction_draw, crosscheck_listing
earlier day: contradiction_list as previous_list
reference: crosscheck_rule
parameters: as_of, draw_periods, spans_since
-#}
with resting as (
    select code, area_code
    from contradiction_accuracy
    where is_resting
),
drawn as (
    select
        contradiction_id,
        count(*) filter (where period = '{{ draw_periods[0].name }}') as a_month,
        count(*) filter (where period = '{{ draw_periods[1].name }}') as a_quarter
    from contradiction_draw
    group by contradiction_id
),
listed as (
    select c.*, coalesce(d.a_quarter > 0, false) as is_drawn
    from contradiction as c
    inner join crosscheck_listing as l on l.code = c.code and l.is_listed
    left join resting as a on a.code = c.code and a.area_code = substr(c.area_code, 1, 6)
    left join resting as t on t.code = c.code and t.area_code = c.town_code
    left join drawn as d on d.contradiction_id = c.contradiction_id
    where c.state in ('open', 'confirmed')
        and ((a.code is null and t.code is null) or c.state = 'confirmed' or d.a_month > 0)
)
select
    l.contradiction_id,
    l.household_id,
    l.area_code,
    l.town_code,
    l.member_id,
    l.code,
    l.owner,
    r.weight,
    l.state,
    l.is_drawn,
    coalesce(p.listed_since, {{ as_of }}) as listed_since,
    {{ as_of }} as listed_on
from listed as l
inner join crosscheck_rule as r on r.code = l.code
left join previous_list as p on p.contradiction_id = l.contradiction_id
union all
select
    p.contradiction_id,
    p.household_id,
    p.area_code,
    p.town_code,
    p.member_id,
    p.code,
    p.owner,
    p.weight,
    p.state,
    p.is_drawn,
    p.listed_since,
    p.listed_on
from previous_list as p
left join listed as l on l.contradiction_id = p.contradiction_id
where l.contradiction_id is null and p.listed_on > {{ spans_since }}
