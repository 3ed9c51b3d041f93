-- One published table as it will be stored: the declared columns in their types, and the hash of the row's canonical text.
-- The text is the same on every engine: decimals with all their places, dates as YYYY-MM-DD, nulls and fields marked.
with content as (
  select
{% for column in columns %}
    cast({{ column.source }} as {{ column.type }}) as "{{ column.name }}"{{ "," if not loop.last }}
{% endfor %}
  from {{ source }}
)
select
  *,
  unhex(md5(concat_ws(chr(30),
{% for column in columns %}
    coalesce({{ column.text }}, chr(29)){{ "," if not loop.last }}
{% endfor %}
  ))) as row_hash
from content
