{#-
Households of the release that readers see which the new one does not have.

grain: all
warehouse: store.household, yihu.household
parameters: previous
-#}
select count(*)
from store.household as h
left join yihu.household as n on n.household_id = h.household_id
where h.from_release <= {{ previous }}
    and h.until_release > {{ previous }}
    and n.household_id is null
