-- How well each record type was linked on a day: counts by outcome and method, the match rate, and the false-link rate
-- that names betray: the share of `different` among sound numbers of a registered person, with its 95% Wilson interval.
with counted as (
{% for contract in contracts %}
    select
        '{{ contract.department }}' as department,
        '{{ contract.records }}' as records,
        count(*) as in_force,
{% for outcome in outcomes %}
        count(*) filter (where outcome = '{{ outcome }}') as {{ outcome }},
{% endfor %}
{% for method in methods %}
        count(*) filter (where method = '{{ method }}') as by_{{ method }},
{% endfor %}
        count(*) filter (where name_agreement = 'same' and method in ('exact', 'upgraded', 'certificate')) as name_same,
        count(*) filter (where name_agreement = 'absent' and method in ('exact', 'upgraded', 'certificate')) as name_absent,
        count(*) filter (where reason = 'name_differs') as name_different
    from matched_{{ contract.table }}
    {{ "union all" if not loop.last }}
{% endfor %}
),
compared as (
    select
        *,
        name_same + name_different as names_compared,
        cast(name_different as double) / nullif(name_same + name_different, 0) as share
    from counted
),
bounded as (
    select
        *,
        (share + {{ z2 }} / (2 * nullif(names_compared, 0))) / (1 + {{ z2 }} / nullif(names_compared, 0)) as centre,
        {{ z }} * sqrt(share * (1 - share) / nullif(names_compared, 0) + {{ z2 }} / (4 * nullif(names_compared * names_compared, 0)))
            / (1 + {{ z2 }} / nullif(names_compared, 0)) as half_width
    from compared
)
select
    {{ as_of }} as as_of,
    department,
    records,
    in_force,
{% for outcome in outcomes %}
    {{ outcome }},
{% endfor %}
{% for method in methods %}
    by_{{ method }},
{% endfor %}
    name_same,
    name_absent,
    name_different,
    cast(cast(linked as double) / nullif(in_force, 0) as decimal(7,6)) as match_rate,
    cast(share as decimal(7,6)) as false_link_rate,
    cast(case when share is not null then greatest(0, centre - half_width) end as decimal(7,6)) as false_link_low,
    cast(case when share is not null then least(1, centre + half_width) end as decimal(7,6)) as false_link_high
from bounded
