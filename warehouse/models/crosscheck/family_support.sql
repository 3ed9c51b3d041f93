{#-
What was paid, lent, worked and done, against the register and what was awarded.

table: crosscheck_family_support
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x71, crosscheck_x72, crosscheck_x73, crosscheck_x74, crosscheck_x75,
    crosscheck_x76
-#}
{% set codes = (
    "X71", "X72", "X73", "X74", "X75", "X76"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
