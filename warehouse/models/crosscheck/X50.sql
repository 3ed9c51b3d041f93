{#-
X50 特困在岗: tekun, and at work.

table: crosscheck_x50
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, scheme_in_force
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, the_member %}
with held as (
    select m.household_id, m.member_id, a.record_id as assistance_id
    from crosscheck_active as m
    inner join scheme_in_force as a on a.member_id = m.member_id
    where a.scheme = 'tekun' and m.working_now
        and m.work_months >= {{ crosscheck.X50.tekun_months }}
)
{{ named_of_member("assistance", "assistance_id") }}
union all
{{ the_member() }}
