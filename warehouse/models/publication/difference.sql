{#-
The keys whose content is not that of the last release written: new, gone or different.

grain: all
given: release, written
parameters: key
-#}
select
{% for name in key %}
  coalesce(release."{{ name }}", written."{{ name }}") as "{{ name }}",
{% endfor %}
  written.row_hash is not null as was_there
from {{ release }} as release
full join {{ written }} as written
  on {% for name in key %}{{ "and " if not loop.first }}written."{{ name }}"
    = release."{{ name }}" {% endfor %}

where release.row_hash is null or written.row_hash is null or written.row_hash <> release.row_hash
