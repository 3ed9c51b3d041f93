{#-
What goes on after a death, and deaths that one side alone has.

table: crosscheck_family_deaths
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x46, crosscheck_x47, crosscheck_x48, crosscheck_x49, crosscheck_x61,
    crosscheck_x62, crosscheck_x63, crosscheck_x64, crosscheck_x67
-#}
{% set codes = (
    "X46", "X47", "X48", "X49", "X61", "X62", "X63", "X64", "X67"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
