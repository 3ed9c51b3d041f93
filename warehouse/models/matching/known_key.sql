{#-
The key of each member that the map knew before today.

table: known_key
grain: member
key: member_id
earlier day, or own: person_key_map as map_before
-#}
select
    member_id,
    min(person_key) as person_key,
    min(first_key) as first_key,
    min(first_seen_on) as first_seen_on
from map_before
group by member_id
