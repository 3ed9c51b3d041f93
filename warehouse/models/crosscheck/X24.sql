{#-
X24 消除后仍住危房: cleared, and the dwelling is dangerous.

table: crosscheck_x24
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, lived_in_dwelling
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r14_dangerous_house in ('C', 'D')
)
{{ the_case() }}
union all
{{ of("dwellings", "lived_in_dwelling", "r.is_worst") }}
