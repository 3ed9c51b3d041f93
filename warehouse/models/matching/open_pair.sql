-- What is left after the plain join: each distinct number and name, as delivered, that is not at once one person's.
-- Holds identities: never in the lake.
with unanswered as (
    select distinct coalesce(v.{{ number }}, '') as raw_number, coalesce({{ name_value }}, '') as raw_name
    from {{ valid }} as v
    left join spine_number as s on s.number = v.{{ number }}
    where not {{ at_once }}
),
cleaned as (
    select raw_number, raw_name, {{ ids.cleaned("raw_number") }} as cleaned_number, {{ names.folded("raw_name") }} as folded_name
    from unanswered
),
shaped as (
    select
        *,
        {{ ids.shaped("cleaned_number") }} as number,
        {{ ids.form("cleaned_number") }} as form,
        {{ names.mask("folded_name") }} as name_mask
    from cleaned
),
levelled as (
    select
        s.*,
        {{ names.key("s.folded_name", "s.name_mask") }} as name_key,
        {{ ids.check_character("s.number") }} as expected_character
    from shaped as s
    cross join name_variant
),
judged as (
    select
        *,
        {{ ids.problem("number", "form", as_of, "expected_character") }} as problem,
        {{ ids.passes_check("number", "expected_character") }} as passes_check,
        {{ ids.is_clipped("number", "form") }} as is_clipped,
        {{ names.gap("name_key") }} as name_gap
    from levelled
)
select
    row_number() over (order by raw_number, raw_name) as pair_id,
    raw_number,
    raw_name,
    number,
    form,
    case when is_clipped and coalesce(problem, 'check_failed') = 'check_failed' then 'precision_lost' else problem end as problem,
    problem is null as is_sound,
    is_clipped,
    coalesce(form <> 'upgraded', false) and not passes_check as is_repairable,
    case when problem is null then {{ ids.pseudonym("number") }} end as number_hash,
    name_key,
    name_mask,
    name_gap,
    substr(number, 7, 8) as birth_digits,
    left(number, 6) || substr(number, 15, 4) as outer_digits
from judged
