{#-
X08 一户多岗: a household with many public posts.

table: crosscheck_x08
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import of %}
with held as (
    select household_id
    from crosscheck_active
    where public_post
    group by household_id
    having count(*) >= {{ crosscheck.X08.public_posts }}
)
{{ of("members", "crosscheck_active", "r.public_post") }}
