{#-
Which populations a household belongs to: everybody, lifted, monitored, assisted, the groups; those
whose sources were read.

table: household_population
grain: household
key: household_id, population
same day: special_group, support_household
asked: source_state
parameters: populations
-#}
{% for p in populations %}
{% if p.condition %}
select h.household_id, '{{ p.code }}' as population
from support_household as h
where {{ p.condition }}
{% else %}
select g.household_id, g.group_code as population
from special_group as g
where g.group_code = '{{ p.code }}'
{% endif %}
{{ "union all" if not loop.last }}
{% endfor %}
