{#-
The face of a batch: rows by town, and of each column how much of it is empty or unlike its type and
codes, how many codes there are, the smallest, largest and middle value. No value of an identity is
in it. `rows`: the landed rows; `columns`: what is measured; `town`: how a row finds its town
(`area`, `household`, `person`, null), by the columns of `link` and the register's relations
`households` and `members`.

grain: all
given: rows, households, members
parameters: columns, link, town
-#}
with batch as (
    select *
    from {{ rows }}
    where _op is distinct from 'D'
),

{% if town == 'area' %}
placed as (
    select left("{{ link }}", 9) as town
    from batch
),
{% elif town == 'household' %}
placed as (
    select left(h.area_code, 9) as town
    from batch as b
    left join {{ households }} as h on h.household_id = b."{{ link }}"
),
{% elif town == 'person' %}
one_household as (
    select id_number, min(household_id) as household_id
    from {{ members }}
    group by id_number
),

placed as (
    select left(h.area_code, 9) as town
    from batch as b
    left join one_household as m on m.id_number = left(upper(b."{{ link }}"), 18)
    left join {{ households }} as h on h.household_id = m.household_id
),
{% else %}
placed as (
    select cast(null as varchar) as town
    from batch
),
{% endif %}

by_town as (
    select town, count(*) as row_count
    from placed
    where town is not null
    group by town
)

select
    cast(null as varchar) as town,
    count(*) as row_count
    {% for c in columns %},
    count(*) filter (where "{{ c.name }}" is null and not {{ c.misfit }}) as empty_{{ loop.index }},
    count(*) filter (where {{ c.unknown }}) as unknown_{{ loop.index }},
    {{
        'count(distinct "' ~ c.name ~ '")' if c.is_coded else 'cast(null as bigint)'
    }} as codes_{{ loop.index }},
    {{
        'cast(min("' ~ c.name ~ '") as varchar)' if c.is_measured else 'cast(null as varchar)'
    }} as smallest_{{ loop.index }},
    {{
        'cast(max("' ~ c.name ~ '") as varchar)' if c.is_measured else 'cast(null as varchar)'
    }} as largest_{{ loop.index }},
    {{
        'cast(median(cast(nullif("' ~ c.name ~ '", 0) as double)) as varchar)' if c.is_number
        else 'cast(null as varchar)'
    }} as middle_{{ loop.index }},
    {{
        'count(nullif("' ~ c.name ~ '", 0))' if c.is_number else 'cast(null as bigint)'
    }} as others_{{ loop.index }}
    {% endfor %}
from batch
union all
select
    town,
    row_count
    {% for c in columns %},
    cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as varchar),
    cast(null as varchar), cast(null as varchar), cast(null as bigint)
    {% endfor %}
from by_town
