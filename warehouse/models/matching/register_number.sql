{#-
The base register's members, each with the number that matching compares. Holds identities: never in
the lake.

table: register_number
grain: member
key: member_id
until: spine_row
holds: identities
same day: valid_rural_revitalisation__members
reference: pseudonym_pad
parameters: as_of
-#}
{% from "matching/normalised.jinja" import numbers %}
with register_row as (
    select member_id, household_id, status, name, id_number as delivered_number, _arrived_on
    from valid_rural_revitalisation__members
),
{{ numbers("register_row", "delivered_number", ids, as_of) }}
select
    member_id,
    household_id,
    status,
    name,
    delivered_number,
    case when problem is null then number end as number,
    case when problem is null then form end as form,
    case when problem is null then {{ ids.birth_on("number") }} end as birth_on,
    case when problem is null then {{ ids.pseudonym("number") }} end as number_hash,
    _arrived_on
from judged
