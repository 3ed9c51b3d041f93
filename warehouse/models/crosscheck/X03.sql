{#-
X03 未满16周岁劳动力类别: a child with a labour class.

table: crosscheck_x03
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import the_member %}
with held as (
    select household_id, member_id
    from crosscheck_active
    where age < {{ crosscheck.X03.working_age }} and labour_class <> '5'
)
{{ the_member() }}
