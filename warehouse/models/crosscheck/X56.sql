{#-
X56 非低保领困难补贴: the living subsidy in a household that no scheme entitles to it.

table: crosscheck_x56
grain: record
key: household_id, member_id, records, record_id
as: view
same day: any_member, crosscheck_active, matched_civil_affairs__assistance, subsidy_payment
parameters: as_of, crosscheck, first_paid_day
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select m.household_id, m.member_id
    from crosscheck_active as m
    inner join subsidy_payment as s on s.member_id = m.member_id
    where s.subsidy = 'living'
        and m.household_id not in (
            select k.household_id
            from matched_civil_affairs__assistance as a
            inner join any_member as k on k.member_id = a.member_id
            where a.outcome = 'linked' and k.household_id is not null
                and a.scheme in ({{ crosscheck.X56.living_schemes | join(", ") }})
                and a.started_on <= {{ as_of }}
                and (a.ended_on is null or a.ended_on >= {{ first_paid_day }})
        )
    group by m.household_id, m.member_id
    having sum(s.amount) > 0
)
{{ of_member("disability_subsidies", "subsidy_payment", "r.subsidy = 'living'") }}
