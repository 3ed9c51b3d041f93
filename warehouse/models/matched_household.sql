{#-
Records of the base register and of cases: tied to their household by its number, where the register
has it in force, or, where shells are computed, has members of it.

table: matched_{type}
kept: matched
grain: record
key: record_id
order: record_id
as: view
same day: spine, valid_{type}, valid_rural_revitalisation__households,
    valid_rural_revitalisation__members
reference: pseudonym_pad
parameters: amounts, fields, has_member_id, household_id, member_id, person_key, record_id,
    shells_are_computed
-#}
with registered as (
    select household_id
    from valid_rural_revitalisation__households
    union
    select household_id
    from valid_rural_revitalisation__members
    where {{ shells_are_computed }} and household_id is not null
)
select
    {{ record_id }} as record_id,
{% for field in fields %}
    {{ field.expression }} as {{ field.name }},
{% endfor %}
    {{ person_key }} as person_key,
{% if not has_member_id %}
    {{ member_id }} as member_id,
{% endif %}
    case when h.household_id is null then 'unregistered' else 'linked' end as outcome,
    case when h.household_id is not null then 'household_id' end as method,
    cast(null as varchar) as name_agreement,
    case when h.household_id is null then 'not_registered' end as reason,
{% for amount in amounts %}
    {{ amount.expression }} as {{ amount.name }},
{% endfor %}
    v._arrived_on
from {{ valid }} as v
left join registered as h on h.household_id = v.{{ household_id }}
{% if has_member_id %}
left join spine as p on p.member_id = v.member_id
{% endif %}
