{#-
Cases without the facts of their risk.

table: crosscheck_family_grounds
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x37, crosscheck_x38, crosscheck_x39, crosscheck_x40, crosscheck_x41,
    crosscheck_x42, crosscheck_x43, crosscheck_x44
-#}
{% set codes = (
    "X37", "X38", "X39", "X40", "X41", "X42", "X43", "X44"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
