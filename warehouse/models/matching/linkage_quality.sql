{#-
How well each record type was linked on a day: counts by outcome and method, the match rate, and the
false-link rate that names betray: the share of `different` among sound numbers of a registered
person, with its 95% Wilson interval. Of records of the subject area the match rate is the share
that is placed.

table: linkage_quality
kept: household
grain: all
key: department, records
order: department, records
same day: matched_*
parameters: area_outcomes, as_of, contracts, methods, outcomes, z, z2
-#}
{% from "indicators/exact.jinja" import share_of, six_places %}
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
        count(*) filter (
            where name_agreement = 'same' and method in ('exact', 'upgraded', 'certificate')
        ) as name_same,
        count(*) filter (
            where name_agreement = 'absent' and method in ('exact', 'upgraded', 'certificate')
        ) as name_absent,
        count(*) filter (where reason = 'name_differs') as name_different,
{% for outcome in area_outcomes %}
        {{
            "count(*) filter (where outcome = '" ~ outcome ~ "')" if contract.subject == "area"
            else "cast(null as bigint)"
        }} as {{ outcome }}{{ "," if not loop.last }}
{% endfor %}
    from matched_{{ contract.table }}
    {{ "union all" if not loop.last }}
{% endfor %}
),
compared as (
    select
        *,
        linked + coalesce(placed, 0) as tied,
        name_same + name_different as names_compared,
        cast(name_different as double) / nullif(name_same + name_different, 0) as share,
        cast(1 as double) / nullif(name_same + name_different, 0) as weight
    from counted
),
bounded as (
    select
        *,
        share + 0.5 * {{ z2 }} * weight as middle,
        {{ z }} * sqrt(share * (1 - share) * weight + 0.25 * {{ z2 }} * weight * weight) as reach,
        cast(1 as double) / nullif(1 + {{ z2 }} * weight, 0) as shrink
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
    {{ share_of("tied", "in_force") }} as match_rate,
    {{ share_of("name_different", "names_compared") }} as false_link_rate,
    case
        when share is not null then {{ six_places("greatest(0, (middle - reach) * shrink)") }}
    end as false_link_low,
    case
        when share is not null then {{ six_places("least(1, (middle + reach) * shrink)") }}
    end as false_link_high,
    placed,
    unplaced
from bounded
