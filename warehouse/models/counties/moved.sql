{#-
The rows of an earlier day whose household is in another county today: from which, to which.

grain: record
key: household_id of the table that moved
same day: household_county
given: previous
-#}
select p.*, c.county as to_county
from (select *, county as from_county from {{ previous }}) as p
inner join household_county as c on c.household_id = p.household_id
where c.county <> p.from_county
