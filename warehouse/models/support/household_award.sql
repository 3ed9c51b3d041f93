{#-
What offices awarded to a household for W: dibao, tekun, edge for each full month on every day of
which they were in force, disability subsidies for full months, temporary aid that was paid, student
aid that was paid or whose term began. Null where an amount is unknown.

table: household_award
grain: household
key: household_id, scheme
same day: active_member, any_member, matched_civil_affairs__assistance,
    matched_civil_affairs__disability_subsidies, matched_civil_affairs__temporary_aid
optional: matched_education__student_aid
parameters: as_of, support, window_start
-#}
with full_month as (
    select name, first_on, last_on
    from (values
{% for m in support.full_months %}
        ('{{ m.name }}', {{ m.first }}, {{ m.last }}){{ "," if not loop.last }}
{% endfor %}
    ) as entry(name, first_on, last_on)
),
maintained as (
    select m.household_id, a.scheme, a.monthly_amount as amount, true as is_whole
    from matched_civil_affairs__assistance as a
    inner join any_member as m on m.member_id = a.member_id
    inner join full_month as f
        on a.started_on <= f.first_on and (a.ended_on is null or a.ended_on >= f.last_on)
    where a.outcome = 'linked' and a.scheme in ('dibao', 'tekun', 'edge')
        and a.started_on <= {{ as_of }}
),
subsidised as (
    select m.household_id, s.subsidy as scheme, s.amount, false as is_whole
    from matched_civil_affairs__disability_subsidies as s
    inner join active_member as m on m.member_id = s.member_id
    inner join full_month as f on f.name = s.month
    where s.outcome = 'linked'
),
aided as (
    select m.household_id, 'temporary_aid' as scheme, t.amount, false as is_whole
    from matched_civil_affairs__temporary_aid as t
    inner join any_member as m on m.member_id = t.member_id
    where t.outcome = 'linked' and t.paid_on > {{ window_start }} and t.paid_on <= {{ as_of }}
),
schooled as (
    select m.household_id, 'student_aid' as scheme, s.amount, false as is_whole
    from matched_education__student_aid as s
    inner join any_member as m on m.member_id = s.member_id
    where s.outcome = 'linked' and (
        (s.paid_on > {{ window_start }} and s.paid_on <= {{ as_of }})
        or (s.paid_on is null and s.term in ({{ support.begun_terms }}))
    )
),
award as (
    select household_id, scheme, amount, is_whole from maintained
    union all
    select household_id, scheme, amount, is_whole from subsidised
    union all
    select household_id, scheme, amount, is_whole from aided
    union all
    select household_id, scheme, amount, is_whole from schooled
)
select
    household_id,
    scheme,
    case
        when count(*) filter (where is_whole) = 0 or count(*) = count(amount) then sum(amount)
    end as amount
from award
group by household_id, scheme
