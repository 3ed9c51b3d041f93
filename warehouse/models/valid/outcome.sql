{#-
What becomes of each good row of a batch against the state before it: accepted, unchanged,
superseded or withdrawn. A full delivery says that a key exists, so it brings back what was
withdrawn whatever its updated_at. A row of a snapshot has no update time of its own: it is
unchanged where nothing else differs. A version in force from after `latest`, which no row may be
from now, gives way to any.

grain: record
key: _row
given: arrivals, before, withdrawn_before
parameters: fields, is_full, is_snapshot, key, latest, updated
-#}
select
    a._row,
    a."{{ key }}" as record_key,
    a._op,
    a._is_winner,
    v."{{ key }}" is not null as was_in_force,
    case
        when not a._is_winner and a._is_repeat then 'unchanged'
        when not a._is_winner then 'superseded'
        {% if is_snapshot | default(false) %}
        when
            v."{{ key }}" is not null
            {% for field in fields if field != updated %}and a."{{ field }}"
                is not distinct from v."{{ field }}"
            {% endfor %}
            then 'unchanged'
        {% endif %}
        when a._op = 'D'
            and v."{{ key }}" is not null
            and a."{{ updated }}" < v."{{ updated }}"
            and v."{{ updated }}" <= {{ latest | default("timestamp '9999-12-31 00:00:00'") }}
            then 'superseded'
        when a._op = 'D' and v."{{ key }}" is not null then 'withdrawn'
        when a._op = 'D' and a."{{ updated }}" = w._withdrawn_at then 'unchanged'
        when a._op = 'D' and a."{{ updated }}" < w._withdrawn_at then 'superseded'
        when a._op = 'D' then 'withdrawn'
        when a."{{ updated }}" < v."{{ updated }}"
            and v."{{ updated }}" <= {{ latest | default("timestamp '9999-12-31 00:00:00'") }}
            then 'superseded'
        when
            a."{{ updated }}" = v."{{ updated }}"
            {% for field in fields %}and a."{{ field }}" is not distinct from v."{{ field }}"
            {% endfor %}
            then 'unchanged'
        when v."{{ key }}" is null and a."{{ updated }}" < w._withdrawn_at and not {{ is_full }}
            then 'superseded'
        else 'accepted'
    end as outcome
from {{ arrivals }} as a
left join {{ before }} as v on v."{{ key }}" = a."{{ key }}"
left join {{ withdrawn_before }} as w on w."{{ key }}" = a."{{ key }}"
