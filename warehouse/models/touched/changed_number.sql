{#-
The numbers of members that changed, as they were and as they are: who has such a number today may
be somebody else than on the day that this one is laid over. Holds identities: never in the lake.

table: changed_number
grain: member
key: number
holds: identities
same day: changed_member, spine
base day: valid_rural_revitalisation__members as members_base
parameters: as_of
-#}
{% from "matching/normalised.jinja" import numbers %}
with was as (
    select b.id_number as delivered_number
    from members_base as b
    inner join changed_member as c on c.member_id = b.member_id
),
{{ numbers("was", "delivered_number", ids, as_of) }}
select number from judged where number is not null
union
select s.number
from spine as s
inner join changed_member as c on c.member_id = s.member_id
where s.number is not null
