{#-
What is left after the plain join: each distinct number and name, as delivered, that is not at once
one person's. Holds identities: never in the lake.

table: open_pair
grain: record
key: pair_id
holds: identities
same day: open_record
reference: name_variant, pseudonym_pad
parameters: as_of
-#}
{% from "matching/normalised.jinja" import numbers, people %}
with unanswered as (
    select distinct raw_number, raw_name from open_record
),
{{ numbers("unanswered", "raw_number", ids, as_of) }},
{{ people("judged", "raw_name", names) }}
select
    row_number() over (order by raw_number, raw_name) as pair_id,
    raw_number,
    raw_name,
    number,
    form,
    case
        when is_clipped and coalesce(problem, 'check_failed') = 'check_failed' then 'precision_lost'
        else problem
    end as problem,
    problem is null as is_sound,
    is_clipped,
    coalesce(form <> 'upgraded', false) and not passes_check as is_repairable,
    case when problem is null then {{ ids.pseudonym("number") }} end as number_hash,
    name_key,
    name_mask,
    name_gap,
    substr(number, 7, 8) as birth_digits,
    left(number, 6) || substr(number, 15, 4) as outer_digits
from named
