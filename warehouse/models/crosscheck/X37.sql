{#-
X37 因病无病: monitored for illness, and nobody was ill.

table: crosscheck_x37
grain: record
key: household_id, member_id, records, record_id
as: view
same day: chronic_followup, crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'illness')
        and r04_personal_medical_max = 0
        and r07_serious_illness_count = 0
        and r09_inpatient_count = 0
        and household_id not in (
            select household_id from chronic_followup where household_id is not null
        )
)
{{ the_case() }}
