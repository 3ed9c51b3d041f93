{#-
X44 失业风险无据: monitored for lost work, and none was lost.

table: crosscheck_x44
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'job')
        and (r21_job_loss_share = 0 or r21_is_not_applicable)
)
{{ the_case() }}
union all
{{ the_household() }}
