{#-
X59 倒塌与鉴定不符: a house that collapsed, and a dwelling that is safe.

table: crosscheck_x59
grain: record
key: household_id, member_id, records, record_id
as: view
same day: counted_loss, crosscheck_dwelling, crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import named, of %}
with held as (
    select h.household_id, w.dwelling_id
    from crosscheck_home as h
    inner join (
        select
            household_id,
            max(record_id) as dwelling_id,
            max(grade) as grade,
            max(appraised_on) as appraised_on
        from crosscheck_dwelling
        group by household_id
        having count(*) = 1 and count(*) filter (where occupied) = 1
    ) as w on w.household_id = h.household_id
    inner join (
        select household_id, max(occurred_on) as occurred_on
        from counted_loss
        where is_unresolved and house_damage = '3'
        group by household_id
    ) as l on l.household_id = h.household_id
    where h.r16_house_damage = '3' and w.grade in ('A', 'B') and w.appraised_on >= l.occurred_on
)
{{ named("dwellings", "dwelling_id") }}
union all
{{ of("losses", "counted_loss", "r.is_unresolved and r.house_damage = '3'") }}
