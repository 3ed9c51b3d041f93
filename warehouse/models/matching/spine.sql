{#-
The spine: every register row with its person_key. Holds identities: never in the lake.

table: spine
grain: member
key: member_id
as: view
holds: identities
same day: spine_row
-#}
select
    member_id,
    household_id,
    status,
    person_key,
    coalesce(other_first_key, person_key) as first_key,
    number,
    case when number is not null then coalesce(other_number_hash, person_key) end as number_hash,
    birth_on,
    form,
    delivered_number,
    name,
    is_holder,
    is_conflict,
    queue_id,
    valid_from,
    _arrived_on
from spine_row
