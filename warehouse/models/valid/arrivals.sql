{#-
The good rows of one batch: of each record key the version with the latest updated_at stands
(`_is_winner`); of unlike rows of one key and updated_at the last in canonical text, marked.
`fields`: every contract field; `key`, `updated`.

grain: record
key: _row
given: bad, rows
parameters: fields, key, updated
-#}
{%- macro canonical() -%}
    {%- for field in fields -%}
    coalesce(cast("{{ field }}" as varchar), '~'){{ " || '|' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}
with good as (
    select *
    from {{ rows }}
    where _row not in (select _row from {{ bad }})
),

repeated_key as (
    select "{{ key }}" as record_key
    from good
    group by "{{ key }}"
    having count(*) > 1
),

single as (
    select *
    from good
    where "{{ key }}" not in (select record_key from repeated_key)
),

written_out as (
    select *, {{ canonical() }} as _canonical
    from good
    where "{{ key }}" in (select record_key from repeated_key)
),

ranked as (
    select
        *,
        row_number() over (
            partition by "{{ key }}" order by "{{ updated }}" desc, _canonical desc, _row desc
        ) as _place,
        first_value(_canonical) over (
            partition by "{{ key }}" order by "{{ updated }}" desc, _canonical desc, _row desc
        ) as _winning_text,
        first_value(_op) over (
            partition by "{{ key }}" order by "{{ updated }}" desc, _canonical desc, _row desc
        ) as _winning_op,
        min(_canonical) over (partition by "{{ key }}", "{{ updated }}") as _least_text,
        max(_canonical) over (partition by "{{ key }}", "{{ updated }}") as _last_text
    from written_out
)

select
    _row, _op,
    {% for field in fields %}"{{ field }}", {% endfor %}
    true as _is_winner, false as _is_repeat, false as _is_conflict
from single
union all
select
    _row, _op,
    {% for field in fields %}"{{ field }}", {% endfor %}
    _place = 1 as _is_winner,
    _place > 1 and _canonical = _winning_text and _op = _winning_op as _is_repeat,
    _least_text <> _last_text as _is_conflict
from ranked
