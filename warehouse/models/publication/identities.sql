{#-
Sound ID numbers (18 characters, alone or with something around them) in any text column, once a
column.

grain: all
given: rows
parameters: columns, misshapen
-#}
with texts as (
{% for column in columns %}
  select
    '{{ column.name }}' as column_name,
    {{ "unnest(" ~ column.name ~ ")" if column.type == "text[]" else column.name }} as value
  from {{ rows }}
  {{ "union all" if not loop.last }}
{% endfor %}
),
long_ones as (
  select column_name, value from texts where length(value) >= 18
),
numbers as (
  select distinct
    column_name,
    regexp_extract(
      value,
      '(^|[^0-9A-Za-z])([1-9][0-9]{5}(18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx])',
      2
    ) as number
  from long_ones
  where regexp_matches(
    value, '(^|[^0-9A-Za-z])[1-9][0-9]{5}(18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]'
  )
)
select column_name, number from numbers where not ({{ misshapen }})
