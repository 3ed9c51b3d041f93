{#-
Every member row of the register, masked. A linked death makes a member deceased, whatever the
register still says; a row that stewards merged away (2 in the spine) has moved out.

table: household_member
kept: household
publishes: household_member
grain: member
key: member_id
order: member_id
same day: linked_death, matched_rural_revitalisation__members, person, register_household
parameters: as_of_month_day, as_of_year
laid over: household_id
changes on: person.birth_on at age
-#}
with died as (
    select distinct member_id from linked_death
),
aged as (
    select
        member_id,
        name_masked,
        id_state,
        status as spine_status,
        {{ as_of_year }} - year(birth_on)
            - case
                when {{ as_of_month_day }} < month(birth_on) * 100 + day(birth_on) then 1
                else 0
            end as age
    from person
)
select
    m.member_id,
    m.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    p.name_masked,
    m.relation,
    case
        when p.age is null then 'unknown'
        when p.age < 6 then '0-5'
        when p.age < 16 then '6-15'
        when p.age < 60 then '16-59'
        when p.age < 80 then '60-79'
        else '80+'
    end as age_band,
    m.student_status,
    m.labour_class,
    case
        when p.spine_status = '2' then '2'
        when m.status = '1' and d.member_id is not null then '3'
        else m.status
    end as status,
    p.id_state as identity_state
from matched_rural_revitalisation__members as m
left join aged as p on p.member_id = m.member_id
left join died as d on d.member_id = m.member_id
left join register_household as h on h.household_id = m.household_id
