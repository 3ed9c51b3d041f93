{#-
Households of the groups that the rules name (特殊群体), and how many in each belong to it.

table: special_group
kept: flags
publishes: special_group
grain: household
key: household_id, group_code
order: household_id, group_code
same day: active_member, household_indicator, scheme_in_force, support_household
parameters: support
-#}
with people as (
    select
        household_id,
{% for g in support.groups %}
{% if g.every_member %}
        count(*) filter (where not ({{ g.every_member }})) as {{ g.code }}_others,
{% endif %}
{% if g.no_member %}
        count(*) filter (where {{ g.no_member }}) as {{ g.code }}_excluded,
{% endif %}
{% endfor %}
        count(*) as persons
    from active_member
    group by household_id
),
scheme as (
    select distinct household_id, scheme
    from scheme_in_force
),
grouped as (
{% for g in support.groups %}
    select i.household_id, '{{ g.code }}' as group_code, i.{{ g.members }} as members
    from household_indicator as i
    inner join people as p on p.household_id = i.household_id
{% if g.scheme %}
    inner join scheme as s on s.household_id = i.household_id and s.scheme = '{{ g.scheme }}'
{% endif %}
    where {{ g.condition }}
{%- if g.every_member %} and p.{{ g.code }}_others = 0{% endif %}
{%- if g.no_member %} and p.{{ g.code }}_excluded = 0{% endif %}

    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    g.group_code,
    cast(g.members as integer) as members
from grouped as g
inner join support_household as h on h.household_id = g.household_id
