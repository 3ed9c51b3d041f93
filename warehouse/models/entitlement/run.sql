{#-
The last days on which each line was reckoned, its gaps and what is held beyond it apart, and
whether it listed too many.

table: entitlement_run
kept: flags
grain: all
key: code, run_on
order: code, run_on
same day: entitlement, household
earlier day: entitlement_run as previous_entitlement_run
reference: entitlement_scheme
asked: source_state
parameters: as_of, doubtful_schemes, flood
-#}
{% from "crosscheck/flood.jinja" import runs %}
with line as (
    select concat(scheme, '.gap') as code, scheme, 'gap' as state from entitlement_scheme
    union all
    select concat(scheme, '.beyond') as code, scheme, 'beyond' as state
    from entitlement_scheme
    where beyond is not null
),
counted as (
    select
        l.code,
        cast(count(e.entitlement_id) as integer) as row_count,
        cast(count(distinct e.household_id) as integer) as household_count
    from line as l
    left join entitlement as e on e.scheme = l.scheme and e.state = l.state
    where l.scheme not in ({{ doubtful_schemes }})
    group by l.code
),
{{ runs(flood, as_of, "previous_entitlement_run") }}
