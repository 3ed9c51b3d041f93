{#-
For each household the record types in which it should have rows, as far as nothing of the type
waits, and whether it has: only of types that were ever read.

table: known_gap_due
grain: household
key: household_id, records
same day: any_member, crosscheck_active, matched_civil_affairs__disability_subsidies,
    matched_health_insurance__enrolments, matched_housing__dwellings, matched_monitoring__cases,
    matched_rural_revitalisation__households, subsidy_entitlement, support_household,
    waiting_record
optional: matched_education__student_aid, matched_rural_revitalisation__visits
asked: source_state
parameters: as_of, as_of_digits, read
-#}
with dwelling as (
    select distinct m.household_id
    from matched_housing__dwellings as d
    inner join any_member as m on m.member_id = d.member_id
    where d.outcome = 'linked' and d.appraised_on <= {{ as_of }}
),
enrolled as (
    select distinct m.household_id
    from matched_health_insurance__enrolments as e
    inner join crosscheck_active as m on m.member_id = e.member_id
    where e.outcome = 'linked'
),
subsidised as (
    select
        e.household_id,
        count(*) filter (where s.member_id is null) = 0 as have_all
    from (select distinct household_id, member_id from subsidy_entitlement) as e
    left join (
        select distinct member_id
        from matched_civil_affairs__disability_subsidies
        where outcome = 'linked' and month <= left('{{ as_of_digits }}', 6)
    ) as s on s.member_id = e.member_id
    group by e.household_id
),
studying as (
    select
        m.household_id,
        count(*) filter (where s.member_id is null) = 0 as have_all
    from crosscheck_active as m
    inner join support_household as h on h.household_id = m.household_id
    left join matched_rural_revitalisation__households as r on r.household_id = m.household_id
    left join (
        select distinct member_id
        from matched_education__student_aid
        where outcome = 'linked' and (paid_on is null or paid_on <= {{ as_of }})
    ) as s on s.member_id = m.member_id
    where m.student_status in ('1', '2', '3', '4')
        and (h.is_monitored or coalesce(r.household_type = '2', false))
    group by m.household_id
),
watched as (
    select distinct household_id
    from matched_monitoring__cases
    where outcome = 'linked' and discovered_on <= {{ as_of }}
),
visited as (
    select distinct household_id
    from matched_rural_revitalisation__visits
    where outcome = 'linked' and visited_on <= {{ as_of }}
),
register as (
    select
        r.household_id,
        r.monitor_class <> '0' as is_monitored,
        coalesce(r.last_visit_on <= {{ as_of }}, false) as is_visited
    from matched_rural_revitalisation__households as r
    inner join support_household as h on h.household_id = r.household_id
),
register_told as (
    select 2 * count(*) filter (where is_visited) >= count(*) and count(*) > 0 as has_visits
    from register
),
due as (
{% if "dwellings" in read %}
    select h.household_id, 'dwellings' as records, d.household_id is not null as is_there
    from support_household as h
    left join dwelling as d on d.household_id = h.household_id
    union all
{% endif %}
{% if "enrolments" in read %}
    select h.household_id, 'enrolments' as records, e.household_id is not null as is_there
    from support_household as h
    left join enrolled as e on e.household_id = h.household_id
    union all
{% endif %}
{% if "student_aid" in read %}
    select s.household_id, 'student_aid' as records, s.have_all as is_there
    from studying as s
    union all
{% endif %}
{% if "disability_subsidies" in read %}
    select h.household_id, 'disability_subsidies' as records, s.have_all as is_there
    from support_household as h
    inner join subsidised as s on s.household_id = h.household_id
    union all
{% endif %}
{% if "cases" in read %}
    select r.household_id, 'cases' as records, w.household_id is not null as is_there
    from register as r
    left join watched as w on w.household_id = r.household_id
    where r.is_monitored
    union all
{% endif %}
{% if "visits" in read %}
    select h.household_id, 'visits' as records, v.household_id is not null as is_there
    from support_household as h
    left join visited as v on v.household_id = h.household_id
    where h.is_red
{% else %}
    select h.household_id, 'visits' as records, r.is_visited as is_there
    from support_household as h
    inner join register as r on r.household_id = h.household_id
    cross join register_told as t
    where h.is_red and t.has_visits
{% endif %}
)
select d.household_id, d.records, d.is_there
from due as d
left join (
    select distinct household_id, records from waiting_record
) as w on w.household_id = d.household_id and w.records = d.records
where w.household_id is null
