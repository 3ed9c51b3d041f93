-- Whom a record may be about: who has a number, or claims it, with what is compared. Holds identities: never in the lake.
select
    member_id, person_key, household_id, number, name, name_key, name_mask, name_gap, birth_digits, outer_digits, is_holder, is_conflict
from spine
where is_holder or is_conflict
