-- The rows that the last release written does not have, or has with another content.
select release.*
from {{ release }} as release
left join {{ written }} as written
  on {% for name in key %}{{ "and " if not loop.first }}written."{{ name }}" = release."{{ name }}" {% endfor %}

where written.row_hash is null or written.row_hash <> release.row_hash
