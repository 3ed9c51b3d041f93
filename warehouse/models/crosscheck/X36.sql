{#-
X36 帮扶后未走访: assisted, and not visited since.

table: crosscheck_x36
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_open and case_stage = 7
        and date_diff('day', case_assisted_on, {{ as_of }}) > {{ crosscheck.X36.unvisited_days }}
        and last_visit_on < case_assisted_on
)
{{ the_case() }}
union all
{{ the_household() }}
