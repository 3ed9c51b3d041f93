{#-
The last days on which each rule ran, and whether it listed too many.

table: crosscheck_run
kept: flags
grain: all
key: code, run_on
order: code, run_on
same day: contradiction, crosscheck_state, household
earlier day: crosscheck_run as previous_run
parameters: as_of, flood
-#}
{% from "crosscheck/flood.jinja" import runs %}
with counted as (
    select
        s.code,
        cast(count(c.contradiction_id) as integer) as row_count,
        cast(count(distinct c.household_id) as integer) as household_count
    from crosscheck_state as s
    left join contradiction as c on c.code = s.code
    where s.state = 'ok'
    group by s.code
),
{{ runs(flood, as_of, "previous_run") }}
