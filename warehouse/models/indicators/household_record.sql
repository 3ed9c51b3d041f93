{#-
The household's row of the register: what is known of the household as a whole.

table: household_record
grain: household
key: household_id
as: view
same day: matched_rural_revitalisation__households
records: households
counted by: R01, R02, R03, R04, R05, R17, R22, R23, R24, R28, S04, S05, S13 where relocated, S15,
    S16, S17, S18
-#}
select * from matched_rural_revitalisation__households
