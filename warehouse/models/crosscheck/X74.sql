{#-
X74 就业台账与在岗不一致: a job by name for some time, and not at work in the register.

table: crosscheck_x74
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
optional: matched_human_resources__employment
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import of_member, the_member %}
with job as (
    select member_id, record_id
    from matched_human_resources__employment
    where outcome = 'linked'
        and date_diff('day', started_on, {{ as_of }}) >= {{ crosscheck.X74.employed_days }}
        and (ended_on is null or ended_on >= {{ as_of }})
),
held as (
    select distinct m.household_id, m.member_id
    from crosscheck_active as m
    inner join job as j on j.member_id = m.member_id
    where not m.working_now
)
{{ the_member() }}
union all
{{ of_member("employment", "job") }}
