{#-
X75 小额信贷状态不一致: a loan is overdue and the register says no, or the other way round.

table: crosscheck_x75
grain: record
key: household_id, member_id, records, record_id
as: view
same day: any_member, crosscheck_home
optional: matched_rural_revitalisation__loans
parameters: as_of
-#}
{% from "crosscheck/rows.jinja" import of, the_household %}
with loan as (
    select m.household_id, m.is_active, l.record_id, l.status = 'overdue' as is_overdue
    from matched_rural_revitalisation__loans as l
    inner join any_member as m on m.member_id = l.member_id
    where l.outcome = 'linked' and l.issued_on <= {{ as_of }}
),
counted as (
    select
        household_id,
        count(*) filter (where is_overdue) as overdue,
        count(*) filter (where is_overdue and is_active) as overdue_of_active
    from loan
    group by household_id
),
held as (
    select h.household_id, h.microcredit = '2' as is_marked
    from crosscheck_home as h
    left join counted as c on c.household_id = h.household_id
    where (h.microcredit in ('0', '1') and c.overdue_of_active > 0)
        or (h.microcredit = '2' and coalesce(c.overdue, 0) = 0)
)
{{ the_household() }}
union all
{{ of("loans", "loan", "h.is_marked or (r.is_overdue and r.is_active)") }}
