{#-
Members whose row of the register or of the spine is not that of the day that this one is laid over.

table: changed_member
grain: member
key: member_id
same day: spine, valid_rural_revitalisation__members
base day: person as person_base, valid_rural_revitalisation__members as members_base
parameters: base_on
-#}
with now as (
    select
        member_id,
        person_key,
        household_id,
        status,
        birth_on,
        case
            when is_conflict then 'conflict'
            when number is not null then 'established'
            else 'placeholder'
        end as id_state,
        form as id_method
    from spine
),
base as (
    select member_id, person_key, household_id, status, birth_on, id_state, id_method
    from person_base
),
differing as (
    select member_id from (select * from now except select * from base) as came
    union
    select member_id from (select * from base except select * from now) as went
)
select member_id from differing
union
select member_id
from valid_rural_revitalisation__members
where _arrived_on > {{ base_on }}
union
select b.member_id
from members_base as b
left join valid_rural_revitalisation__members as v on v.member_id = b.member_id
where v.member_id is null
