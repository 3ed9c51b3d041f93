{#-
What the register and the monitors say of a case.

table: crosscheck_family_cases
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x21, crosscheck_x22, crosscheck_x23, crosscheck_x32, crosscheck_x35,
    crosscheck_x36
-#}
{% set codes = (
    "X21", "X22", "X23", "X32", "X35", "X36"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
