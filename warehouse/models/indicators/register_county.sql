{#-
The register's only county; none (000000) where it has several, or no household that lies in one.

table: register_county
grain: all
key: code
of: everybody
same day: matched_rural_revitalisation__households
parameters: no_county
-#}
select
    case
        when count(distinct substr(area_code, 1, 6)) = 1 then max(substr(area_code, 1, 6))
        else '{{ no_county }}'
    end as code
from matched_rural_revitalisation__households
where area_code is not null
