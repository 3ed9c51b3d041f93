{#-
The spine as the lake keeps it: a row per member row of the base register, no identity.

table: person
kept: household
grain: member
key: member_id
order: member_id
as: view
same day: spine
-#}
select
    person_key,
    member_id,
    household_id,
    status,
    birth_on,
    case
        when is_conflict then 'conflict'
        when number is not null then 'established'
        else 'placeholder'
    end as id_state,
    form as id_method,
    {{ names.masked("name") }} as name_masked,
    valid_from,
    case when status <> '1' then _arrived_on end as valid_until,
    _arrived_on
from spine
