{#-
Records of any type that carry an ID number: each with its person and its outcome. No identity
leaves this model.

table: matched_{type}
kept: matched
grain: record
key: record_id
order: record_id
as: view
same day: decided, pair_answer, spine_number, valid_{type}
reference: pseudonym_pad
parameters: amounts, at_once, fields, name_value, number, pair, record_id, record_key,
    record_type
-#}
with answered as (
    select
        v.*,
        {{ record_id }} as _record_id,
{% for key in ("person_key", "member_id", "household_id") %}
        case
            when d.decision is not null then d.{{ key }}
            when {{ at_once }} then s.{{ key }}
            else a.{{ key }}
        end as _{{ key }},
{% endfor %}
        case
            when d.decision = 'unregistered' then 'unregistered'
            when d.decision is not null or {{ at_once }} then 'linked'
            else a.outcome
        end as _outcome,
        case
            when d.decision is not null then 'decided'
            when {{ at_once }} then 'exact'
            else a.method
        end as _method,
        case
            when d.decision is not null then a.name_agreement
            when {{ at_once }} then case when {{ name_value }} is null then 'absent' else 'same' end
            else a.name_agreement
        end as _name_agreement,
        case when d.decision is null and not {{ at_once }} then a.reason end as _reason
    from {{ valid }} as v
    left join spine_number as s on s.number = v.{{ number }}
    left join pair_answer as a on a.pair = case when not {{ at_once }} then {{ pair }} end
    left join decided as d
        on d.record_type = '{{ record_type }}' and d.record_key = cast({{ record_key }} as varchar)
)
select
    r._record_id as record_id,
{% for field in fields %}
    r.{{ field.delivered }} as {{ field.name }},
{% endfor %}
    r._person_key as person_key,
    r._member_id as member_id,
    r._household_id as household_id,
    r._outcome as outcome,
    r._method as method,
    r._name_agreement as name_agreement,
    r._reason as reason,
{% for amount in amounts %}
    {{ amount.expression }} as {{ amount.name }},
{% endfor %}
    r._arrived_on
from answered as r
