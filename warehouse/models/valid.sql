{#-
The state of one record type after a batch: what stays of the state before, and the versions that the batch brought.
`gone` holds the keys that the delivery lacks (a full one, or a reconciliation by keys); `returned` those that such a
reconciliation has again: the last known version is in force again.

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
)

select
    {% for field in fields %}"{{ field }}", {% endfor %}
    _batch_id, _arrived_on, _is_conflict
from kept
union all
select
    {% for field in fields %}"{{ field }}", {% endfor %}
    '{{ batch_id }}' as _batch_id,
    {{ as_of }} as _arrived_on,
    _is_conflict
from brought
