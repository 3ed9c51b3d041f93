{#-
Whether each active member of a household is too young, too old or too disabled to work; null where
it is not known of one.

table: entitlement_unable
grain: household
key: household_id
as: view
same day: entitlement_member
parameters: entitlement
-#}
with judged as (
    select
        household_id,
        age < {{ entitlement.young_under }} or age >= {{ entitlement.old_from }} or is_severe
            as is_unable
    from entitlement_member
)
select
    household_id,
    case
        when count(*) filter (where not is_unable) > 0 then false
        when count(is_unable) = count(*) then true
    end as are_unable
from judged
group by household_id
