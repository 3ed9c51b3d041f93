{#-
X31 消除后房损未修: cleared, and the damaged house stands as it was.

table: crosscheck_x31
grain: record
key: household_id, member_id, records, record_id
as: view
same day: counted_loss, crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r16_house_damage in ('2', '3')
)
{{ the_case() }}
union all
{{ of("losses", "counted_loss", "r.is_worst") }}
