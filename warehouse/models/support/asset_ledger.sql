{#-
Assets of the projects by area and category: what they are worth, whose they are, what they earned,
what was handed on and to how many households.

table: asset_ledger
kept: flags
publishes: asset_ledger
grain: all
key: area_code, category
order: area_code, category
same day: any_member, household_area, support_household
optional: matched_rural_revitalisation__assets, matched_rural_revitalisation__dividends
asked: source_state
parameters: area_levels, as_of, prefecture_digits, read, second_round, support, window_start
-#}
with register_area as (
    select distinct area_code
    from household_area
    where is_placed
),
asset as (
    select
        a.record_id,
        a.area_code,
        a.category,
        a.original_value,
        a.annual_income,
        a.owner_level is null as is_without_owner,
        a.state = 'idle' as is_idle,
        a.state <> 'disposed'
            and a.accepted_on <= {{ support.transfer_before }}
            and (a.transferred_on is null or a.transferred_on > {{ as_of }}) as is_overdue
    from matched_rural_revitalisation__assets as a
),
lies_in as (
    select a.record_id, r.area_code
    from (
{% for level, digits in area_levels %}
        select record_id, substr(area_code, 1, {{ digits }}) as code from asset
        union all
{% endfor %}
        select record_id, substr(area_code, 1, {{ prefecture_digits }}) as code from asset
    ) as a
    inner join register_area as r on r.area_code = a.code
),
counted as (
    select
        l.area_code,
        k.category,
        count(*) as assets,
        sum(a.original_value) as original_value,
        count(*) filter (where a.is_without_owner) as without_owner,
        count(*) filter (where a.is_overdue) as transfer_overdue,
        count(*) filter (where a.is_idle) as idle,
        sum(a.annual_income) as annual_income
    from asset as a
    inner join lies_in as l on l.record_id = a.record_id
    inner join (
        select record_id, category from asset
        union all
        select record_id, 'all' as category from asset
    ) as k on k.record_id = a.record_id
    group by l.area_code, k.category
),
dividend as (
    select d.asset_id, d.round, d.amount, h.household_id
    from matched_rural_revitalisation__dividends as d
    left join any_member as m on m.member_id = d.member_id and d.outcome = 'linked'
    left join support_household as h on h.household_id = m.household_id
    where d.paid_on > {{ window_start }} and d.paid_on <= {{ as_of }}
),
distributed as (
    select
        l.area_code,
        k.category,
        coalesce(sum(case when d.round = {{ second_round }} then d.amount end), 0) as distributed,
        count(distinct case when d.amount > 0 then d.household_id end) as households
    from dividend as d
    inner join asset as a on a.record_id = d.asset_id
    inner join lies_in as l on l.record_id = a.record_id
    inner join (
        select record_id, category from asset
        union all
        select record_id, 'all' as category from asset
    ) as k on k.record_id = a.record_id
    group by l.area_code, k.category
),
category as (
    select category
    from (values ('all'), ('operating'), ('public'), ('household')) as entry(category)
)
select
    r.area_code,
    case when length(r.area_code) >= 9 then substr(r.area_code, 1, 9) end as town_code,
    k.category,
    cast(coalesce(c.assets, 0) as integer) as assets,
    cast(coalesce(c.original_value, 0) as decimal(18,2)) as original_value,
    cast(coalesce(c.without_owner, 0) as integer) as without_owner,
    cast(coalesce(c.transfer_overdue, 0) as integer) as transfer_overdue,
    cast(coalesce(c.idle, 0) as integer) as idle,
    cast(case when c.area_code is null then 0 else c.annual_income end as decimal(18,2))
        as annual_income,
    cast(coalesce(d.distributed, 0) as decimal(18,2)) as distributed,
    cast(coalesce(d.households, 0) as integer) as households
from register_area as r
cross join category as k
left join counted as c on c.area_code = r.area_code and c.category = k.category
left join distributed as d on d.area_code = r.area_code and d.category = k.category
where {{ "true" if "assets" in read else "false" }}
