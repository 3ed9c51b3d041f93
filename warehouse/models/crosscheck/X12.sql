{#-
X12 务工无工资收入: long work, and no wage.

table: crosscheck_x12
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, crosscheck_home
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with held as (
    select household_id
    from crosscheck_home
    where wage_income = 0
        and household_id in (
            select household_id
            from crosscheck_active
            where household_id is not null and work_months >= {{ crosscheck.X12.work_months }}
        )
)
{{ the_household() }}
union all
{{ of("members", "crosscheck_active", "r.work_months >= " ~ crosscheck.X12.work_months) }}
