{#-
X38 因残无残: monitored for disability, and nobody has a certificate.

table: crosscheck_x38
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'disability')
        and r12_disabled_count = 0
)
{{ the_case() }}
