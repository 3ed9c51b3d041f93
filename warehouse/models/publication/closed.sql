-- The keys of the last release written that are gone, or stand with another content.
select {% for name in key %}written."{{ name }}"{{ ", " if not loop.last }}{% endfor %}

from {{ written }} as written
left join {{ release }} as release
  on {% for name in key %}{{ "and " if not loop.first }}written."{{ name }}" = release."{{ name }}" {% endfor %}

where release.row_hash is null or written.row_hash <> release.row_hash
