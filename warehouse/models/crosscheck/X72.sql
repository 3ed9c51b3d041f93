{#-
X72 无审批发放: a scheme was paid for a month, and was not awarded in it or in the two before.

table: crosscheck_x72
grain: record
key: household_id, member_id, records, record_id
as: view
same day: any_member, crosscheck_home, matched_civil_affairs__assistance, past_payment
parameters: as_of, crosscheck, support
-#}
{% from "crosscheck/rows.jinja" import of %}
with month as (
    select name, awarded_since, last_on
    from (values
{% for m in support.paid_months %}
        ('{{ m.name }}', {{ m.first }}, {{ m.last }}){{ "," if not loop.last }}
{% endfor %}
    ) as entry(name, awarded_since, last_on)
),
paid as (
    select p.household_id, p.scheme, m.name, m.awarded_since, m.last_on
    from past_payment as p
    inner join month as m on m.name = p.of_month
    inner join crosscheck_home as h on h.household_id = p.household_id
    where p.scheme in ({{ crosscheck.X72.schemes | join(", ") }})
    group by p.household_id, p.scheme, m.name, m.awarded_since, m.last_on
    having sum(p.amount) > 0
),
awarded as (
    select distinct p.household_id, p.scheme, p.name
    from paid as p
    inner join any_member as k on k.household_id = p.household_id
    inner join matched_civil_affairs__assistance as a
        on a.member_id = k.member_id and a.scheme = p.scheme
    where a.outcome = 'linked' and a.started_on <= {{ as_of }} and a.started_on <= p.last_on
        and (a.ended_on is null or a.ended_on >= p.awarded_since)
),
unawarded as (
    select p.household_id, p.scheme, p.name
    from paid as p
    left join awarded as a
        on a.household_id = p.household_id and a.scheme = p.scheme and a.name = p.name
    where a.household_id is null
),
evidence as (
    select p.household_id, p.record_id
    from past_payment as p
    inner join unawarded as u
        on u.household_id = p.household_id and u.scheme = p.scheme and u.name = p.of_month
),
held as (
    select distinct household_id
    from unawarded
)
{{ of("payments", "evidence") }}
