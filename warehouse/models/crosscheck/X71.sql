{#-
X71 死亡后发放补贴: payments for months after a death.

table: crosscheck_x71
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death, past_payment
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with late as (
    select m.household_id, m.member_id, p.record_id, p.amount
    from past_payment as p
    inner join crosscheck_member as m on m.member_id = p.member_id
    where p.scheme in ({{ crosscheck.X71.schemes | join(", ") }})
        and (
            p.month > replace(substr(cast(m.died_on as varchar), 1, 7), '-', '')
            or (
                p.month is null
                and date_diff('day', m.died_on, p.paid_on) > {{ crosscheck.X71.grace_days }}
            )
        )
),
held as (
    select household_id, member_id
    from late
    group by household_id, member_id
    having sum(amount) > 0
)
{{ of_member("payments", "late") }}
union all
{{ of_member("deaths", "linked_death") }}
