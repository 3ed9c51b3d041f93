{#-
What each person paid for settlements in W, and whether nobody of the household paid more.

table: member_payment
grain: member
key: member_id
same day: net_settlement
-#}
with paid as (
    select
        household_id,
        member_id,
        sum(personal_paid) as personal_paid,
        count(*) filter (where is_inpatient) as inpatient
    from net_settlement
    group by household_id, member_id
)
select
    *,
    row_number() over (
        partition by household_id order by personal_paid desc, member_id
    ) = 1 as is_largest
from paid
