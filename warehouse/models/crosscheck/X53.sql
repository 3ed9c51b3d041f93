{#-
X53 无劳动力未兜底: nobody can work, little income, and no assistance; one cleared of late is
X29's.

table: crosscheck_x53
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import the_household %}
with held as (
    select household_id
    from crosscheck_home
    where (household_type = '2' or b11_monitor_class <> '0')
        and r20_no_labour
        and not is_on_scheme
        and b20_net_income_per_capita < {{ crosscheck.X53.unable_factor }} * dibao_standard
        and not coalesce(case_is_cleared_in_window, false)
)
{{ the_household() }}
