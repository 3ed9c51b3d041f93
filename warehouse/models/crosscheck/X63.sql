{#-
X63 登记死亡无记录: dead in the register of late, and no death is known.

table: crosscheck_x63
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member
parameters: as_of, window_start
-#}
{% from "crosscheck/rows.jinja" import the_member %}
with held as (
    select household_id, member_id
    from crosscheck_member
    where status = '3' and died_on is null and updated_on > {{ window_start }}
        and updated_on <= {{ as_of }}
)
{{ the_member() }}
