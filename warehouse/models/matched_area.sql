{#-
Records of the subject area: tied to a village of the register by its code, or to a town or the
county (a code that ends in zeros). Nobody's household, but where the record names one that the
register has.

table: matched_{type}
kept: matched
grain: record
key: record_id
order: record_id
as: view
same day: valid_{type}, valid_rural_revitalisation__households,
    valid_rural_revitalisation__members
reference: pseudonym_pad
parameters: amounts, area_code, fields, household_id, record_id, shells_are_computed
-#}
with village as (
    select distinct area_code
    from valid_rural_revitalisation__households
    where area_code is not null
),

area as (
    select area_code from village
    union
    select concat(left(area_code, 9), '000') as area_code from village
    union
    select concat(left(area_code, 6), '000000') as area_code from village
){% if household_id %},

registered as (
    select household_id
    from valid_rural_revitalisation__households
    union
    select household_id
    from valid_rural_revitalisation__members
    where {{ shells_are_computed }} and household_id is not null
){% endif %}

select
    {{ record_id }} as record_id,
{% for field in fields %}
    v.{{ field.delivered }} as {{ field.name }},
{% endfor %}
    cast(null as varchar) as person_key,
    cast(null as varchar) as member_id,
    {{ "h.household_id" if household_id else "cast(null as varchar)" }} as household_id,
    case when a.area_code is null then 'unplaced' else 'placed' end as outcome,
    cast(null as varchar) as method,
    cast(null as varchar) as name_agreement,
    case when a.area_code is null then 'not_registered' end as reason,
{% for amount in amounts %}
    {{ amount.expression }} as {{ amount.name }},
{% endfor %}
    v._arrived_on
from {{ valid }} as v
left join area as a on a.area_code = v.{{ area_code }}
{% if household_id %}
left join registered as h on h.household_id = v.{{ household_id }}
{% endif %}
