-- The base register's members, each with the number and the name that matching compares. Holds identities: never in the lake.
{% from "matching/normalised.jinja" import normalised %}
with register_row as (
    select member_id, household_id, status, name, id_number as delivered_number, _arrived_on
    from valid_rural_revitalisation__members
),
{{ normalised("register_row", "delivered_number", "name", ids, names, as_of) }}
select
    member_id,
    household_id,
    status,
    name,
    delivered_number,
    name_key,
    name_mask,
    name_gap,
    case when problem is null then number end as number,
    case when problem is null then form end as form,
    case when problem is null then {{ ids.birth_on("number") }} end as birth_on,
    case when problem is null then {{ ids.pseudonym("number") }} end as number_hash,
    _arrived_on
from judged
