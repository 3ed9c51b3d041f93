{#-
X54 重度残疾有劳动力: severely disabled, and able to work as anybody.

table: crosscheck_x54
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, valid_certificate
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, the_member %}
with held as (
    select m.household_id, m.member_id, c.record_id as certificate_id
    from crosscheck_active as m
    inner join valid_certificate as c on c.member_id = m.member_id
    where m.labour_class in ('1', '2') and c.is_severe
        and c.category not in ({{ crosscheck.X54.own_labour_categories | join(", ") }})
)
{{ the_member() }}
union all
{{ named_of_member("certificates", "certificate_id") }}
