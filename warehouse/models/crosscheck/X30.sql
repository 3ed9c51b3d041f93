{#-
X30 消除后申报未结: cleared, and a report is still open.

table: crosscheck_x30
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, open_report
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r30_open_report is not null
)
{{ the_case() }}
union all
{{ of("reports", "open_report") }}
