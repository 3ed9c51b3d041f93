{#-
Register rows that share a number. Rows of status 1 count, without any all do; more than one that
counts is a tie.

table: register_claim
grain: member
key: member_id
holds: identities
same day: register_number
reference: name_variant, pseudonym_pad
-#}
{% from "matching/normalised.jinja" import people %}
with shared as (
    select number, count(*) filter (where status = '1') as active_count
    from register_number
    where number is not null
    group by number
    having count(*) > 1
),
sharing as (
    select
        r.member_id, r.status, r.number, r.number_hash, r.name,
        s.active_count = 0 or r.status = '1' as counts
    from register_number as r
    inner join shared as s on s.number = r.number
),
{{ people("sharing", "name", names) }},
claimed as (
    select
        number,
        count(*) as claimant_count,
        min(member_id) as first_member_id,
        array_to_string(list_sort(list(distinct member_id)), ',') as claimants
    from sharing
    where counts
    group by number
)
select
    c.member_id,
    c.status,
    c.number,
    c.number_hash,
    c.counts,
    d.claimant_count,
    d.first_member_id,
    c.name_key,
    h.name_key as first_name_key,
    case
        when d.claimant_count > 1
            then {{ ids.pseudonym("'queue|members|' || c.number_hash || '|' || d.claimants") }}
    end as queue_id
from named as c
inner join claimed as d on d.number = c.number
inner join named as h on h.member_id = d.first_member_id
