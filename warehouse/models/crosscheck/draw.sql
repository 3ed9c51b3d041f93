{#-
Contradictions drawn by lot, of each rule: some a quarter among all that were open in it (so that
the precision of what offices choose to answer can be held against it), and some a month and
county that are asked although their rule rests.

table: contradiction_draw
grain: all
key: contradiction_id, period
same day: contradiction_span
reference: crosscheck_rule, sampling_pad
parameters: draw_periods
-#}
with open_in as (
{% for period in draw_periods %}
    select
        s.contradiction_id,
        s.code,
        '{{ period.name }}' as period,
        {{ period.rows }} as wanted,
        {{ "substr(s.area_code, 1, 6)" if period.is_month else "''" }} as county,
        {{ ids.keyed("concat(s.contradiction_id, '|" ~ period.name ~ "')", "sampling_pad") }} as lot
    from contradiction_span as s
    inner join crosscheck_rule as r on r.code = s.code and r.version = s.version
    where s.open_on >= {{ period.first }} and s.opened_on <= {{ period.last }}
    {{ "union all" if not loop.last }}
{% endfor %}
),
ranked as (
    select
        *,
        row_number() over (
            partition by code, period, county order by lot, contradiction_id
        ) as place
    from open_in
)
select contradiction_id, code, period, place
from ranked
where place <= wanted
