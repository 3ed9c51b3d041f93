{#-
One published table as it will be stored: the declared columns in their types.

grain: all
given: source
parameters: columns
-#}
select
{% for column in columns %}
  cast({{ column.source }} as {{ column.type }}) as "{{ column.name }}"{{ "," if not loop.last }}
{% endfor %}
from {{ source }}
