{#-
Whose level differs under the candidate rules, and which points make the difference.

grain: household
key: household_id
given: diff_flag_after, diff_flag_before, diff_point_after, diff_point_before
-#}
with was as (
    select household_id, code, case when domain is null then -points else points end as points
    from diff_point_before
),
now as (
    select household_id, code, case when domain is null then -points else points end as points
    from diff_point_after
),
changed as (
    select
        coalesce(w.household_id, n.household_id) as household_id,
        concat(
            coalesce(w.code, n.code), ' ', cast(coalesce(w.points, 0) as varchar), ' -> ',
            cast(coalesce(n.points, 0) as varchar)
        ) as change
    from was as w
    full outer join now as n on n.household_id = w.household_id and n.code = w.code
    where coalesce(w.points, 0) <> coalesce(n.points, 0)
),
why as (
    select household_id, list_sort(list(change)) as changes
    from changed
    group by household_id
)
select
    b.household_id,
    b.area_code,
    b.level as from_level,
    a.level as to_level,
    b.score as from_score,
    a.score as to_score,
    coalesce(y.changes, cast([] as varchar[])) as changes
from diff_flag_before as b
inner join diff_flag_after as a on a.household_id = b.household_id
left join why as y on y.household_id = b.household_id
where a.level <> b.level
