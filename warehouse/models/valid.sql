{#-
The state of one record type after a batch: what stays of the state before, and the versions that
the batch brought. `gone` holds the keys that the delivery lacks (a full one, or a reconciliation by
keys); `returned` those that such a reconciliation has again: the last known version is in force
again. `_first_key` is the key under which a record was first published, where its key was spelt
otherwise then; null for all others.

table: valid_{type}
kept: valid
grain: record
key: record key
given: arrivals, before, gone, outcome, returned, withdrawn_before
parameters: as_of, batch_id, fields, key
-#}
with replaced as (
    select record_key
    from {{ outcome }}
    where _is_winner and outcome in ('accepted', 'withdrawn')
),

kept as (
    select *
    from {{ before }}
    where
        "{{ key }}" not in (select record_key from replaced)
        and "{{ key }}" not in (select record_key from {{ gone }})
),

brought as (
    select
        {% for field in fields %}"{{ field }}", {% endfor %}
        _is_conflict
    from {{ arrivals }}
    where _row in (select _row from {{ outcome }} where outcome = 'accepted')
    union all
    select
        {% for field in fields %}"{{ field }}", {% endfor %}
        _is_conflict
    from {{ withdrawn_before }}
    where "{{ key }}" in (select record_key from {{ returned }})
),

published as (
    select "{{ key }}" as record_key, _first_key
    from {{ before }}
    where _first_key is not null
    union all
    select "{{ key }}" as record_key, _first_key
    from {{ withdrawn_before }}
    where _first_key is not null
)

select
    {% for field in fields %}"{{ field }}", {% endfor %}
    _batch_id, _arrived_on, _is_conflict, _first_key
from kept
union all
select
    {% for field in fields %}b."{{ field }}", {% endfor %}
    '{{ batch_id }}' as _batch_id,
    {{ as_of }} as _arrived_on,
    b._is_conflict,
    p._first_key
from brought as b
left join published as p on p.record_key = b."{{ key }}"
