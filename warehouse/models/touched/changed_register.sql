{#-
Households of whose rows in the register, or whose members' rows, one came, changed or went since
the day that this one is laid over: what is tied to them by their number is tied anew.

table: changed_register
grain: household
key: household_id
same day: valid_rural_revitalisation__households, valid_rural_revitalisation__members
base day: valid_rural_revitalisation__households as households_base,
    valid_rural_revitalisation__members as members_base
parameters: base_on
-#}
select household_id
from valid_rural_revitalisation__households
where _arrived_on > {{ base_on }}
union
select b.household_id
from households_base as b
left join valid_rural_revitalisation__households as v on v.household_id = b.household_id
where v.household_id is null
union
select household_id
from valid_rural_revitalisation__members
where _arrived_on > {{ base_on }}
union
select b.household_id
from members_base as b
left join valid_rural_revitalisation__members as v on v.member_id = b.member_id
where v.member_id is null or v._arrived_on > {{ base_on }}
