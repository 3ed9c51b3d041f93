{#-
What is to be mended (问题整改, 一清单三机制): how far each issue has come, what the rules ask for next
and when, and whether what is said to be mended still stands.

table: issue_ledger
kept: flags
publishes: issue_ledger
grain: record
key: issue_id
order: issue_id
same day: contradiction, contradiction_span, crosscheck_state, warning_reason
optional: matched_supervision__issues
outside: contradiction_alias
reference: issue_theme
parameters: as_of, issues
-#}
{% set steps = ("notified", "talked", "accounted", "mended", "proved") %}
{% macro days_after(day, days) -%}
cast({{ day }} + interval {{ days }} day as date)
{%- endmacro %}
with offices as (
    select count(mended_by) > 0 and count(proved_by) > 0 as are_told
    from matched_supervision__issues
),
known as (
    select
        i.*,
{% for step in steps %}
        case when i.{{ step }}_on <= {{ as_of }} then i.{{ step }}_on end as {{ step }},
{% endfor %}
        coalesce(i.proved_by = i.mended_by, o.are_told) as is_own_proof
    from matched_supervision__issues as i
    cross join offices as o
    where i.found_on <= {{ as_of }}
),
stepped as (
    select
        *,
        case
            when proved is not null and mended is not null and not is_own_proof then 'proved'
            when mended is not null then 'mended'
            when accounted is not null then 'accounted'
            when talked is not null then 'talked'
            when notified is not null then 'notified'
            else 'list'
        end as step
    from known
),
standing as (
    select c.contradiction_id as asked_id, c.contradiction_id
    from contradiction as c
    union
    select a.old_id as asked_id, c.contradiction_id
    from contradiction_alias as a
    inner join contradiction as c on c.contradiction_id = a.contradiction_id
),
not_run as (
    select s.contradiction_id
    from contradiction_span as s
    inner join crosscheck_state as t on t.code = s.code and t.state = 'missing'
),
at_risk as (
    select distinct r.household_id, t.theme
    from warning_reason as r
    inner join issue_theme as t on t.code = r.code
    where r.points > 0
),
theme as (
    select distinct theme from issue_theme
),
judged as (
    select
        s.*,
        case
            when s.mended is null then cast(null as boolean)
            when s.contradiction_id is not null and n.contradiction_id is not null
                then cast(null as boolean)
            when s.contradiction_id is not null then c.asked_id is not null
            when s.household_id is not null and t.theme is not null then r.theme is not null
        end as still_stands
    from stepped as s
    left join (select distinct asked_id from standing) as c on c.asked_id = s.contradiction_id
    left join not_run as n on n.contradiction_id = s.contradiction_id
    left join theme as t on t.theme = s.theme
    left join at_risk as r on r.household_id = s.household_id and r.theme = s.theme
)
select
    record_id as issue_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
    household_id,
    source,
    theme,
    owner,
    found_on,
    due_on,
    step,
    case step
        when 'list' then 'notified'
        when 'notified' then 'talked'
        when 'talked' then 'accounted'
        when 'accounted' then 'mended'
        when 'mended' then 'proved'
    end as next_step,
    case step
        when 'list' then {{ days_after("greatest(due_on, found_on)", issues.notified_days) }}
        when 'notified' then {{ days_after("greatest(due_on, notified)", issues.talked_days) }}
        when 'talked' then {{ days_after("greatest(due_on, talked)", issues.accounted_days) }}
        when 'mended' then {{ days_after("mended", issues.proved_days) }}
    end as next_step_on,
    mended is null and due_on < {{ as_of }} as is_overdue,
    still_stands
from judged
