{#-
The lamp of each household: red, yellow, green; held at red where what made it red cannot be seen
today.

table: warning_flag
kept: flags
publishes: warning_flag
grain: household
key: household_id
order: household_id
same day: household_indicator, household_score, indicator_state, scored_point
earlier day: warning_flag as previous_warning_flag
asked: source_state
parameters: as_of, levels, risks, rule_version
laid over: household_id
-#}
with risk as (
    select
        household_id,
        code,
        row_number() over (partition by household_id order by points desc, code) as place
    from scored_point
    where domain is not null
),
named as (
    select
        household_id,
        concat_ws(
            ',',
            max(case when place = 1 then code end),
            max(case when place = 2 then code end),
            max(case when place = 3 then code end)
        ) as reasons,
        list_sort(list(code)) as codes
    from risk
    group by household_id
),
known as (
    select
        s.household_id,
        s.area_code,
        s.active_count,
        coalesce(c.score, 0) as score,
        coalesce(c.raw_points, 0) as raw_points,
        coalesce(c.offset_points, 0) as offset_points,
        coalesce(c.is_hard, false) as is_hard,
        coalesce(c.score, 0) > {{ levels.red_above }} as is_red_by_score,
        coalesce(y.level, 'none') = 'red' as was_red,
        y.red_since as was_red_since,
        coalesce(y._red_codes, cast([] as varchar[])) as was_red_by,
        {% for i in risks %}{{ " or " if not loop.first }}(
            list_contains(y._red_codes, '{{ i.code }}'){% if i.source_state == "ok" %}
            and strpos(s.missing_codes, '{{ i.code }}') > 0{% endif %}
        ){% endfor %} as is_unseen
    from indicator_state as s
    left join household_score as c on c.household_id = s.household_id
    left join previous_warning_flag as y on y.household_id = s.household_id
),
lit as (
    select
        *,
        active_count > 0
            and not is_red_by_score
            and was_red
            and coalesce(is_unseen, false) as is_held
    from known
),
levelled as (
    select
        *,
        case
            when active_count = 0 then 'none'
            when is_red_by_score or is_held then 'red'
            when score > {{ levels.yellow_above }} then 'yellow'
            else 'green'
        end as level
    from lit
)
select
    l.household_id,
    l.area_code,
    substr(l.area_code, 1, 9) as town_code,
    l.level,
    cast(l.score as decimal(6,2)) as score,
    cast(l.raw_points as decimal(6,2)) as raw_points,
    cast(l.offset_points as decimal(6,2)) as offset_points,
    l.is_hard,
    l.is_held,
    case
        when n.reasons is null then cast([] as varchar[])
        else string_split(n.reasons, ',')
    end as reasons,
    i.coverage,
    case
        when l.level <> 'red' then null
        when l.was_red then coalesce(l.was_red_since, {{ as_of }})
        else {{ as_of }}
    end as red_since,
    '{{ rule_version }}' as rule_version,
    case
        when l.is_held then l.was_red_by
        when l.level = 'red' then coalesce(n.codes, cast([] as varchar[]))
        else cast([] as varchar[])
    end as _red_codes
from levelled as l
inner join household_indicator as i on i.household_id = l.household_id
left join named as n on n.household_id = l.household_id
