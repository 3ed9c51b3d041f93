{#-
Who is responsible for a household, in which duty, since when; last seen by this officer, to be seen
again by the rules. Whoever saw the household last, the shortest of the terms that apply counts from
there; where none applies, everybody is seen once in a half-year.

table: responsibility
kept: flags
publishes: responsibility
grain: household
key: household_id, officer_id, duty
order: household_id, officer_id, duty
same day: assignment_in_force, matched_rural_revitalisation__households, past_visit,
    support_household
asked: source_state
parameters: as_of, read, support
-#}
{% set is_read = "true" if "visits" in read else "false" %}
with assigned as (
    select household_id, officer_id, duty, min(started_on) as since
    from assignment_in_force
    group by household_id, officer_id, duty
),
by_officer as (
    select household_id, officer_id, max(visited_on) as last_visit_on
    from past_visit
    group by household_id, officer_id
),
by_anyone as (
    select household_id, max(visited_on) as seen
    from past_visit
    where {{ is_read }}
    group by household_id
    union all
    select household_id, last_visit_on as seen
    from matched_rural_revitalisation__households
    where last_visit_on <= {{ as_of }} and not {{ is_read }}
),
due as (
    select
        h.household_id,
        h.area_code,
        a.officer_id,
        a.duty,
        a.since,
        b.last_visit_on,
        v.seen,
        coalesce(v.seen, a.since) as begins,
        a.duty in ({{ support.duties }}) as visits,
        case
            when h.is_red
                then {{ support.red_days }}
            when h.is_monitored
                then {{ support.monitored_days }}
            when h.is_lifted
                then {{ support.lifted_days }}
        end as days
    from assigned as a
    inner join support_household as h on h.household_id = a.household_id
    left join by_officer as b on b.household_id = a.household_id and b.officer_id = a.officer_id
    left join by_anyone as v on v.household_id = a.household_id
    where {{ "true" if "assignments" in read else "false" }}
)
select
    household_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
    officer_id,
    duty,
    since,
    last_visit_on,
    case
        when not visits then null
        when days is not null then begins + days
        when seen >= {{ support.half_start }} then {{ support.next_half_end }}
        else {{ support.half_end }}
    end as next_visit_due_on
from due
