{#-
The state to be stored: every version in force, marked where a newer one sits in quarantine.

grain: record
key: record key
given: quarantine_after, valid_after
parameters: fields, key
-#}
select
    {% for field in fields %}v."{{ field }}", {% endfor %}
    v._batch_id,
    v._arrived_on,
    case
        when q.record_key is not null
            then coalesce(q.updated_at, cast(q.last_seen_on as timestamp))
    end as _quarantined_at,
    v._is_conflict,
    v._first_key
from {{ valid_after }} as v
left join {{ quarantine_after }} as q on q.record_key = v."{{ key }}"
