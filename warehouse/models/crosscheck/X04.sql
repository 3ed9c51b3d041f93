{#-
X04 公益性岗位年龄: a public post below or above its ages.

table: crosscheck_x04
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
    where public_post
        and (age < {{ crosscheck.X04.working_age }} or age >= {{ crosscheck.X04.public_post_to }})
)
{{ the_member() }}
