{#-
X35 帮扶阶段无措施: assisted, and no measure.

table: crosscheck_x35
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_open and case_stage = 7 and measures_count = 0
)
{{ the_case() }}
union all
{{ the_household() }}
