{#-
X14 月均工资异常: a monthly wage that nobody earns.

table: crosscheck_x14
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, crosscheck_home
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with held as (
    select h.household_id
    from crosscheck_home as h
    inner join (
        select household_id, sum(coalesce(work_months, 0)) as months
        from crosscheck_active
        group by household_id
        having count(*) filter (where working_now and work_months is null) = 0
    ) as w on w.household_id = h.household_id
    where w.months > 0
        and (
            h.wage_income < {{ crosscheck.X14.wage_low }} * w.months
            or h.wage_income > {{ crosscheck.X14.wage_high }} * w.months
        )
)
{{ the_household() }}
union all
{{ of("members", "crosscheck_active", "r.work_months > 0") }}
