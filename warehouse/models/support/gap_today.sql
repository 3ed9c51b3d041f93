{#-
What a monitored household lacks today: any measure; where it can work one of development; where it
cannot one of protection; for a risk one of its kind. Without the record type only the register's
count is known.

table: gap_today
grain: household
key: household_id, gap
same day: household_indicator, matched_rural_revitalisation__households, measure_in_force,
    scheme_in_force, support_household, waiting_record, warning_reason
reference: measure_need
asked: source_state
parameters: read, support
-#}
{% set is_read = "true" if "measures" in read else "false" %}
with measured as (
    select
        household_id,
        count(*) filter (where kind in ({{ support.development }})) as development,
        count(*) filter (where kind in ({{ support.protection }})) as protection
    from measure_in_force
    group by household_id
),
need as (
    select distinct r.household_id, n.need
    from warning_reason as r
    inner join measure_need as n on n.code = r.code
    inner join support_household as h on h.household_id = r.household_id
    where r.points > 0 and h.is_monitored
),
answered as (
    select distinct m.household_id, n.need
    from measure_in_force as m
    inner join measure_need as n on n.kind = m.kind
),
unanswered as (
    select distinct n.household_id
    from need as n
    left join answered as a on a.household_id = n.household_id and a.need = n.need
    where a.need is null
),
maintained as (
    select distinct household_id
    from scheme_in_force
    where is_dibao_or_tekun
),
undecided as (
    select distinct household_id
    from waiting_record
    where records = 'assistance'
),
known as (
    select
        h.household_id,
        m.household_id is null as has_none,
        coalesce(
            i.b03_labour_count + i.b04_weak_labour_count >= 1 and m.development = 0, false
        ) as lacks_development,
        coalesce(i.r20_no_labour and m.protection = 0, false)
            and s.household_id is null
            and w.household_id is null as lacks_protection,
        u.household_id is not null as lacks_answer
    from support_household as h
    left join household_indicator as i on i.household_id = h.household_id
    left join measured as m on m.household_id = h.household_id
    left join maintained as s on s.household_id = h.household_id
    left join undecided as w on w.household_id = h.household_id
    left join unanswered as u on u.household_id = h.household_id
    where h.is_monitored and {{ is_read }}
)
select household_id, 'no_measure' as gap from known where has_none
union all
select household_id, 'no_development' as gap from known where not has_none and lacks_development
union all
select household_id, 'no_protection' as gap from known where not has_none and lacks_protection
union all
select household_id, 'not_to_need' as gap from known where not has_none and lacks_answer
union all
select h.household_id, 'no_measure' as gap
from support_household as h
inner join matched_rural_revitalisation__households as r on r.household_id = h.household_id
where h.is_monitored and r.measures_count = 0 and not {{ is_read }}
