{#-
X32 消除过快: cleared soon after it was recorded; a natural end apart.

table: crosscheck_x32
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window
        and date_diff('day', case_recorded_on, case_cleared_on) < {{ crosscheck.X32.clear_days }}
        and coalesce(case_clearance, '') <> 'natural'
)
{{ the_case() }}
