-- The base register's members, each with the number and the name that matching compares. Holds identities: never in the lake.
with cleaned as (
    select
        member_id, household_id, status, name, id_number, _arrived_on,
        {{ ids.cleaned("id_number") }} as cleaned_number,
        {{ names.folded("name") }} as folded_name
    from valid_rural_revitalisation__members
),
shaped as (
    select
        *,
        {{ ids.shaped("cleaned_number") }} as shaped_number,
        {{ ids.form("cleaned_number") }} as form,
        {{ names.mask("folded_name") }} as name_mask
    from cleaned
),
levelled as (
    select
        s.*,
        {{ names.key("s.folded_name", "s.name_mask") }} as name_key,
        {{ ids.check_character("s.shaped_number") }} as expected_character
    from shaped as s
    cross join name_variant
),
judged as (
    select
        *,
        {{ ids.problem("shaped_number", "form", as_of, "expected_character") }} is null as is_sound,
        {{ names.gap("name_key") }} as name_gap
    from levelled
)
select
    member_id,
    household_id,
    status,
    name,
    id_number as delivered_number,
    name_key,
    name_mask,
    name_gap,
    case when is_sound then shaped_number end as number,
    case when is_sound then form end as form,
    case when is_sound then {{ ids.birth_on("shaped_number") }} end as birth_on,
    case when is_sound then {{ ids.pseudonym("shaped_number") }} end as number_hash,
    _arrived_on
from judged
