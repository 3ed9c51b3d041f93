{#-
The open rows of the quarantine after a batch: one per record key (per raw text where the key itself
is missing), the newest bad version. A good version of the same or a later updated_at, a withdrawal,
or a full delivery without the key closes a row. `sighting` is 1 for a batch of the day, 0 for a
replay, which is no new sighting.

grain: record
key: record key, or raw text
given: arrivals, bad_rows, gone, quarantine_before, valid_after, withdrawn_after, source_keys
parameters: as_of, batch_id, is_full, key, sighting, updated
-#}
with sighted as (
    select
        *,
        row_number() over (
            partition by coalesce(record_key, raw) order by updated_at desc nulls first, _row desc
        ) as place
    from {{ bad_rows }}
),

corrected as (
    select "{{ key }}" as record_key, max("{{ updated }}") as updated_at
    from {{ arrivals }}
    group by "{{ key }}"
),

still_open as (
    select q.*
    from {{ quarantine_before }} as q
    left join corrected as c on c.record_key = q.record_key
    where
        (c.record_key is null or c.updated_at < q.updated_at)
        {% if is_full == 'true' %}
        and coalesce(q.record_key, q.raw) in (select coalesce(record_key, raw) from sighted)
        {% endif %}
        and (q.record_key is null or q.record_key not in (select record_key from {{ gone }}))
        {% if source_keys %}
        and (q.record_key is null or q.record_key in ({{ source_keys }}))
        {% endif %}
),

fresh as (
    select s.*
    from sighted as s
    left join corrected as c on c.record_key = s.record_key
    left join {{ valid_after }} as v on v."{{ key }}" = s.record_key
    left join {{ withdrawn_after }} as w on w."{{ key }}" = s.record_key
    where
        s.place = 1
        and (c.record_key is null or s.updated_at is null or c.updated_at < s.updated_at)
        and (v."{{ key }}" is null or s.updated_at is null or v."{{ updated }}" <= s.updated_at)
        and (w."{{ key }}" is null or s.updated_at is null or w._withdrawn_at <= s.updated_at)
),

joined as (
    select
        o.raw is not null and f.updated_at < o.updated_at as is_older,
        f.*,
        o.batch_id as old_batch_id, o._row as old_row, o.rules as old_rules,
        o.updated_at as old_updated_at,
        o.first_seen_on as old_first_seen_on, o.last_seen_on as old_last_seen_on,
        o.times_seen as old_times_seen, o.raw as old_raw, o.is_withdrawal as old_is_withdrawal
    from fresh as f
    left join still_open as o on coalesce(o.record_key, o.raw) = coalesce(f.record_key, f.raw)
)

select
    case when is_older then old_batch_id else '{{ batch_id }}' end as batch_id,
    case when is_older then old_row else _row end as _row,
    record_key,
    case when is_older then old_rules else rules end as rules,
    case when is_older then old_updated_at else updated_at end as updated_at,
    coalesce(old_first_seen_on, {{ as_of }}) as first_seen_on,
    {{ "" if sighting else "coalesce(old_last_seen_on, " }}{{ as_of }}{{ "" if sighting else ")" }}
        as last_seen_on,
    coalesce(old_times_seen, 0) + {{ sighting }} as times_seen,
    case when is_older then old_raw else raw end as raw,
    case when is_older then old_is_withdrawal else is_withdrawal end as is_withdrawal
from joined
union all
select
    o.batch_id,
    o._row,
    o.record_key,
    o.rules,
    o.updated_at,
    o.first_seen_on,
    o.last_seen_on,
    o.times_seen,
    o.raw,
    o.is_withdrawal
from still_open as o
where coalesce(o.record_key, o.raw) not in (select coalesce(record_key, raw) from fresh)
