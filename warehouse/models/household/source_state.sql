{#-
The state of each source: `missing` was never read, `stale` is older than its contract allows.

table: source_state
grain: all
key: records
as: view
same day: source_status
-#}
select records, state
from source_status
