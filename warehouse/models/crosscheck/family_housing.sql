{#-
Houses that are said to be mended, safe or fallen, and reports that are said to be settled.

table: crosscheck_family_housing
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x58, crosscheck_x59, crosscheck_x60
-#}
{% set codes = (
    "X58", "X59", "X60"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
