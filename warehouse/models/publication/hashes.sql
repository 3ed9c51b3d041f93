{#-
One published table as it goes into the release's folder: its columns, and the hash of each row's
canonical text, which is the same on every engine: decimals with all their places, dates as
YYYY-MM-DD, nulls and fields marked.

grain: all
given: content
parameters: columns
-#}
select
{% for column in columns %}
  "{{ column.name }}",
{% endfor %}
  unhex(md5(concat_ws(chr(30),
{% for column in columns %}
    coalesce({{ column.text }}, chr(29)){{ "," if not loop.last }}
{% endfor %}
  ))) as row_hash
from {{ content }}
