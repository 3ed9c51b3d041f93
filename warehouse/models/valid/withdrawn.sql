{#-
The tombstones after a batch: the last known version of each key taken out, with the batch and day
that took it out. `_withdrawn_at` is the withdrawal's updated_at; for a key that a delivery lacks,
the last version's own, so that a later delivery of the same version brings it back.

grain: record
key: record key
given: arrivals, before, gone, outcome, returned, withdrawn_before
parameters: as_of, batch_id, fields, key, updated
-#}
with taken_out as (
    select o.record_key, o._row, a."{{ updated }}" as _taken_at
    from {{ outcome }} as o
    inner join {{ arrivals }} as a on a._row = o._row
    where o._is_winner and o.outcome = 'withdrawn'
),

brought_back as (
    select record_key
    from {{ outcome }}
    where outcome = 'accepted'
    union all
    select record_key
    from {{ returned }}
),

kept as (
    select *
    from {{ withdrawn_before }}
    where
        "{{ key }}" not in (select record_key from taken_out)
        and "{{ key }}" not in (select record_key from brought_back)
),

last_known as (
    select
        {% for field in fields %}v."{{ field }}", {% endfor %}
        v._is_conflict, v._first_key, t._taken_at
    from {{ before }} as v
    inner join taken_out as t on t.record_key = v."{{ key }}"
    union all
    select
        {% for field in fields %}v."{{ field }}", {% endfor %}
        v._is_conflict, v._first_key, v."{{ updated }}" as _taken_at
    from {{ before }} as v
    where v."{{ key }}" in (select record_key from {{ gone }})
    union all
    select
        {% for field in fields %}w."{{ field }}", {% endfor %}
        w._is_conflict, w._first_key, t._taken_at
    from {{ withdrawn_before }} as w
    inner join taken_out as t on t.record_key = w."{{ key }}"
    union all
    select
        {% for field in fields %}a."{{ field }}", {% endfor %}
        a._is_conflict, cast(null as varchar) as _first_key, t._taken_at
    from {{ arrivals }} as a
    inner join taken_out as t on t._row = a._row
    where
        a."{{ key }}" not in (select "{{ key }}" from {{ before }})
        and a."{{ key }}" not in (select "{{ key }}" from {{ withdrawn_before }})
)

select
    {% for field in fields %}"{{ field }}", {% endfor %}
    _batch_id, _arrived_on, cast(null as timestamp) as _quarantined_at, _is_conflict, _first_key,
    _withdrawn_at
from kept
union all
select
    {% for field in fields %}"{{ field }}", {% endfor %}
    '{{ batch_id }}' as _batch_id,
    {{ as_of }} as _arrived_on,
    cast(null as timestamp) as _quarantined_at,
    _is_conflict,
    _first_key,
    _taken_at as _withdrawn_at
from last_known
