{#-
X29 消除后无劳动力未兜底: cleared, nobody can work, and neither dibao nor tekun.

table: crosscheck_x29
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r20_no_labour and not is_on_dibao_or_tekun
)
{{ the_case() }}
