{#-
Since when a household stands in a list without a break. A day on which a source is stale or missing
breaks nothing: what stood on the last day on which all were there is kept in mind until it is seen
again.

table: support_standing
kept: flags
grain: household
key: list_name, household_id, item
order: list_name, household_id, item
same day: gap_today, idle_today
earlier day: support_standing as previous_support_standing
asked: source_state
parameters: as_of, doubtful_lists
-#}
with today as (
    select 'measure_gap' as list_name, household_id, gap as item from gap_today
    union all
    select 'zero_employment' as list_name, household_id, 'all' as item from idle_today
),
joined as (
    select
        coalesce(t.list_name, b.list_name) as list_name,
        coalesce(t.household_id, b.household_id) as household_id,
        coalesce(t.item, b.item) as item,
        t.list_name is not null as is_standing,
        coalesce(b.is_sure, false) as was_sure,
        coalesce(b.since, {{ as_of }}) as since
    from today as t
    full join previous_support_standing as b
        on b.list_name = t.list_name and b.household_id = t.household_id and b.item = t.item
),
judged as (
    select
        *,
        case when list_name in ({{ doubtful_lists }}) then was_sure else is_standing end as is_sure
    from joined
)
select list_name, household_id, item, is_standing, is_sure, since
from judged
where is_standing or is_sure
