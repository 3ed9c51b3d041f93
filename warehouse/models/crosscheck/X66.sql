{#-
X66 搬迁户仍住危房: relocated, and in a dangerous dwelling.

table: crosscheck_x66
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, lived_in_dwelling
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with held as (
    select household_id
    from crosscheck_home
    where relocated and r14_dangerous_house in ('C', 'D')
)
{{ the_household() }}
union all
{{ of("dwellings", "lived_in_dwelling", "r.grade in ('C', 'D')") }}
