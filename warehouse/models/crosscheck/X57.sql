{#-
X57 低保户收入偏高: dibao, and an income far above its standard.

table: crosscheck_x57
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, scheme_in_force
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with held as (
    select household_id
    from crosscheck_home
    where is_on_dibao
        and b20_net_income_per_capita > {{ crosscheck.X57.dibao_factor }} * dibao_standard
)
{{ of("assistance", "scheme_in_force", "r.is_dibao") }}
union all
{{ the_household() }}
