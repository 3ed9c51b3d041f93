{#-
What a reader of the release gets of one table: its rows, and the sum of the first eight bytes of
their hashes.

grain: all
warehouse: store.*
parameters: view
-#}
select
    count(*),
    coalesce(sum(('x' || encode(substring(t.row_hash, 1, 8), 'hex'))::bit(64)::bigint), 0)
from store."{{ view }}" as t
where t.from_release <= (select yihu.current_release())
    and t.until_release > (select yihu.current_release())
