-- Sound ID numbers (18 characters, alone or with something around them) in any text column. A department's record number
-- may look like one by chance: in the evidence it counts where it is somebody's.
with texts as (
{% for column in columns %}
  select '{{ column.name }}' as column_name, {{ "unnest(" ~ column.name ~ ")" if column.type == "text[]" else column.name }} as value
  from {{ rows }}
  {{ "union all" if not loop.last }}
{% endfor %}
),
numbers as (
  select distinct
    column_name, regexp_extract(value, '(^|[^0-9A-Za-z])([1-9][0-9]{5}(18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx])', 2) as number
  from texts
  where regexp_matches(value, '(^|[^0-9A-Za-z])[1-9][0-9]{5}(18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]')
),
sound as (
  select column_name, number from numbers where not ({{ misshapen }})
)
select column_name, count(*)
from sound
{% if person %}
where column_name <> 'evidence' or upper(number) in (select upper(id_number) from "{{ person }}")
{% endif %}
group by column_name
order by column_name
