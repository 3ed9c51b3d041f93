{#-
X10 辈分与年龄不符: a child born before the head, or a parent after.

table: crosscheck_x10
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
-#}
{% from "crosscheck/rows.jinja" import named_of_member, the_member %}
with held as (
    select m.household_id, m.member_id, h.member_id as head_id
    from crosscheck_active as m
    inner join (
        select household_id, max(member_id) as member_id, max(birth_on) as birth_on
        from crosscheck_active
        where relation = '01'
        group by household_id
        having count(*) = 1
    ) as h on h.household_id = m.household_id
    where (m.relation = '03' and m.birth_on <= h.birth_on)
        or (m.relation = '04' and m.birth_on >= h.birth_on)
)
{{ the_member() }}
union all
{{ named_of_member("members", "head_id") }}
