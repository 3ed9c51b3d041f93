{#-
Issues by area, owner, theme, source and the week in which they were found. An issue of a town
counts in its town and county, one of the county in the county alone.

table: issue_summary
kept: flags
publishes: issue_summary
grain: all
key: area_code, owner, theme, source, week
order: area_code, owner, theme, source, week
same day: household_place, issue_ledger
reference: found_week
parameters: area_levels, prefecture_digits
-#}
with county as (
    select count(distinct substr(village, 1, 6)) as counties
    from household_place
    where is_in_county
),
placed as (
{% for level, digits in area_levels %}
    select substr(area_code, 1, {{ digits }}) as area, *
    from issue_ledger
{% if digits == 12 %}
    where right(area_code, 3) <> '000'
{% elif digits == 9 %}
    where right(area_code, 6) <> '000000'
{% endif %}
    union all
{% endfor %}
    select substr(i.area_code, 1, {{ prefecture_digits }}) as area, i.*
    from issue_ledger as i
    cross join county as c
    where c.counties > 1
)
select
    p.area as area_code,
    case when length(p.area) >= 9 then substr(p.area, 1, 9) end as town_code,
    p.owner,
    p.theme,
    p.source,
    w.week,
    cast(count(*) filter (where p.step not in ('mended', 'proved')) as integer) as open,
    cast(count(*) filter (where p.is_overdue) as integer) as overdue,
    cast(count(*) filter (where p.step = 'mended') as integer) as mended,
    cast(count(*) filter (where p.step = 'proved') as integer) as proved,
    cast(count(*) filter (where p.still_stands) as integer) as still_standing
from placed as p
inner join found_week as w on w.first_day <= p.found_on and w.last_day >= p.found_on
group by p.area, p.owner, p.theme, p.source, w.week
