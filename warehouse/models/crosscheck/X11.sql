{#-
X11 耕地林地异常: more land than a household has.

table: crosscheck_x11
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
    where farmland_mu > {{ crosscheck.X11.farmland_limit }}
        or forest_mu > {{ crosscheck.X11.forest_limit }}
)
{{ the_household() }}
