-- The keys of a published table, and the hash of each row's canonical text, which is the same on every engine: decimals with
-- all their places, dates as YYYY-MM-DD, nulls and fields marked.
select
{% for name in key %}
  "{{ name }}",
{% endfor %}
  unhex(md5(concat_ws(chr(30),
{% for column in columns %}
    coalesce({{ column.text }}, chr(29)){{ "," if not loop.last }}
{% endfor %}
  ))) as row_hash
from {{ content }}
