{#-
What still stands of households whose risk is said to be cleared.

table: crosscheck_family_cleared
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x24, crosscheck_x25, crosscheck_x26, crosscheck_x27, crosscheck_x28,
    crosscheck_x29, crosscheck_x30, crosscheck_x31
-#}
{% set codes = (
    "X24", "X25", "X26", "X27", "X28", "X29", "X30", "X31"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
