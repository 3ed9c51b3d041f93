{#-
X13 有工资无人务工: a wage, and nobody who earns it: none of the active members, and none who
moved out or died.

table: crosscheck_x13
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, crosscheck_home, matched_rural_revitalisation__members
-#}
{% from "crosscheck/rows.jinja" import the_household %}
with held as (
    select h.household_id
    from crosscheck_home as h
    inner join (
        select household_id
        from crosscheck_active
        group by household_id
        having count(working_now) > 0 and count(public_post) > 0 and count(work_months) > 0
    ) as k on k.household_id = h.household_id
    where h.wage_income > 0
        and h.household_id not in (
            select household_id
            from matched_rural_revitalisation__members
            where household_id is not null and (working_now or public_post or work_months > 0)
        )
)
{{ the_household() }}
