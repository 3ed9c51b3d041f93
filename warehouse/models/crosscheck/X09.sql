{#-
X09 户主异常: a household without a head, or with several.

table: crosscheck_x09
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with held as (
    select household_id, count(*) filter (where relation = '01') as heads
    from crosscheck_active
    group by household_id
    having count(relation) > 0 and count(*) filter (where relation = '01') <> 1
)
{{ of("members", "crosscheck_active", "r.relation = '01'") }}
union all
{{ the_household("heads = 0") }}
