{#-
X55 无证领补贴: subsidies without a certificate.

table: crosscheck_x55
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, subsidy_payment, valid_certificate
-#}
{% from "crosscheck/rows.jinja" import of_member %}
with held as (
    select m.household_id, m.member_id
    from crosscheck_active as m
    inner join subsidy_payment as s on s.member_id = m.member_id
    where m.member_id not in (select member_id from valid_certificate)
    group by m.household_id, m.member_id
    having sum(s.amount) > 0
)
{{ of_member("disability_subsidies", "subsidy_payment") }}
