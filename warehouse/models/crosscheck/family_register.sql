{#-
What the base register says against itself, and against housing and disability.

table: crosscheck_family_register
grain: record
key: code, household_id, member_id, records, record_id
as: view
same day: crosscheck_x01, crosscheck_x02, crosscheck_x03, crosscheck_x04, crosscheck_x05,
    crosscheck_x06, crosscheck_x07, crosscheck_x08, crosscheck_x09, crosscheck_x10, crosscheck_x11,
    crosscheck_x12, crosscheck_x13, crosscheck_x14, crosscheck_x15, crosscheck_x16, crosscheck_x17,
    crosscheck_x18, crosscheck_x54, crosscheck_x66
-#}
{% set codes = (
    "X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X10", "X11", "X12", "X13",
    "X14", "X15", "X16", "X17", "X18", "X54", "X66"
) %}
{% for code in codes %}
select '{{ code }}' as code, household_id, member_id, records, record_id
from crosscheck_{{ code | lower }}
{{ "union all" if not loop.last }}
{% endfor %}
