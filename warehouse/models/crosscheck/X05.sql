{#-
X05 超龄劳动力: beyond working age, able, and not at work.

table: crosscheck_x05
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
    where age >= {{ crosscheck.X05.labour_to }} and labour_class in ('1', '2') and not working_now
)
{{ the_member() }}
