{#-
The records to ask a steward about: ambiguous ones, and those with a proposal. A question is its
record and what the department delivered, so a corrected record is a new question, and an answered
one is never asked again. How number and name are spelt (blanks, width, small letters) does not
matter; `former_id` is its id of a time when it did.

table: question
grain: record
key: queue_id
holds: identities
same day: open_record, pair_answer
reference: pseudonym_pad
parameters: pair_text, types
-#}
{%- set number = ids.cleaned(ids.unwrapped("a.raw_number")) -%}
{%- set meant = pair_text(number, ids.unwrapped("a.raw_name")) -%}
{%- set record = "'queue|' || v.records || '|' || v.record_key || '|' || " -%}
select
    v.record_type,
    v.department,
    v.records,
    v.record_key,
{% if types | selectattr("is_pseudonymous") | list %}
    case v.record_type
{% for d in types if d.is_pseudonymous %}
        when '{{ d.table }}' then {{ ids.pseudonym("'" ~ d.records ~ "|' || v.record_key") }}
{% endfor %}
        else v.record_key
    end as record_id,
{% else %}
    v.record_key as record_id,
{% endif %}
    a.pair_id,
    a.outcome,
    a.reason,
    a.number_hash,
    {{ ids.pseudonym(record ~ meant) }} as queue_id,
    {{ ids.pseudonym(record ~ "a.pair") }} as former_id
from open_record as v
inner join pair_answer as a on a.raw_number = v.raw_number and a.raw_name = v.raw_name
where a.outcome = 'ambiguous' or (a.outcome <> 'linked' and a.proposal_count > 0)
