{#-
Who is assisted, insured and subsidised, and who is not.

table: crosscheck_family_assistance
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x45, crosscheck_x50, crosscheck_x51, crosscheck_x52, crosscheck_x53,
    crosscheck_x55, crosscheck_x56, crosscheck_x57, crosscheck_x65
-#}
{% set codes = (
    "X45", "X50", "X51", "X52", "X53", "X55", "X56", "X57", "X65"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
