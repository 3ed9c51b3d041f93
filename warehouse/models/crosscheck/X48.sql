{#-
X48 死亡后发放两项补贴: subsidies for months after the death.

table: crosscheck_x48
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death, matched_civil_affairs__disability_subsidies
parameters: as_of_month
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select m.household_id, m.member_id, max(m.died_on) as died_on
    from crosscheck_member as m
    inner join matched_civil_affairs__disability_subsidies as s on s.member_id = m.member_id
    where s.outcome = 'linked'
        and cast(s.month as integer) > year(m.died_on) * 100 + month(m.died_on)
        and cast(s.month as integer) <= {{ as_of_month }}
    group by m.household_id, m.member_id
    having sum(s.amount) > 0
)
{{ of_member(
    "disability_subsidies", "matched_civil_affairs__disability_subsidies",
    "r.outcome = 'linked' and cast(r.month as integer) > year(h.died_on) * 100 + month(h.died_on)
    and cast(r.month as integer) <= " ~ as_of_month
) }}
union all
{{ of_member("deaths", "linked_death") }}
