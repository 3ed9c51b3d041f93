{#-
X73 审批未发放: dibao or tekun was in force on every day of two months, and nothing of it was paid for
them, while at least half of the county's awards were.

table: crosscheck_x73
grain: record
key: household_id, member_id, records, record_id
as: view
same day: any_member, crosscheck_home, household, matched_civil_affairs__assistance, past_payment
parameters: as_of, crosscheck, support
-#}
{% from "crosscheck/rows.jinja" import of %}
with day_of_months as (
    select day
    from (values
{% for day in support.awarded_days %}
        ({{ day }}){{ "," if not loop.last }}
{% endfor %}
    ) as entry(day)
),
award as (
    select h.household_id, substr(h.area_code, 1, 6) as county, a.record_id, a.scheme, a.started_on,
        a.ended_on
    from matched_civil_affairs__assistance as a
    inner join any_member as k on k.member_id = a.member_id
    inner join household as h on h.household_id = k.household_id
    where a.outcome = 'linked' and a.started_on <= {{ as_of }}
        and a.scheme in ({{ crosscheck.X73.schemes | join(", ") }})
),
covered as (
    select a.household_id, a.county, a.scheme
    from award as a
    inner join day_of_months as d
        on a.started_on <= d.day and (a.ended_on is null or a.ended_on >= d.day)
    group by a.household_id, a.county, a.scheme
    having count(distinct d.day) = {{ support.awarded_days | length }}
),
paid as (
    select household_id, scheme, sum(amount) as amount
    from past_payment
    where of_month in ({{ support.awarded_months }})
    group by household_id, scheme
),
county as (
    select c.county, c.scheme, count(*) as awards, count(p.household_id) as told
    from covered as c
    left join paid as p on p.household_id = c.household_id and p.scheme = c.scheme
    group by c.county, c.scheme
),
unpaid as (
    select c.household_id, c.scheme
    from covered as c
    inner join county as k on k.county = c.county and k.scheme = c.scheme
    inner join crosscheck_home as h on h.household_id = c.household_id
    left join paid as p on p.household_id = c.household_id and p.scheme = c.scheme
    where coalesce(p.amount, 0) <= 0
        and k.told >= {{ crosscheck.X73.least_share }} * k.awards
),
evidence as (
    select distinct a.household_id, a.record_id
    from award as a
    inner join unpaid as u on u.household_id = a.household_id and u.scheme = a.scheme
    inner join day_of_months as d
        on a.started_on <= d.day and (a.ended_on is null or a.ended_on >= d.day)
),
held as (
    select distinct household_id
    from unpaid
)
{{ of("assistance", "evidence") }}
