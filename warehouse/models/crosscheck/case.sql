{#-
The case of each household: the linked one that was discovered last. Of what lies after the day it
knows nothing. Cleared, open, recorded, new: as the rules say it.

table: crosscheck_case
grain: household
key: household_id
same day: matched_monitoring__cases
parameters: as_of, window_start
-#}
with known as (
    select
        household_id,
        record_id,
        monitor_class,
        string_split(replace(risk_types, ' ', ''), ',') as risk_types,
        stage,
        discovered_on,
{% for column in ("recorded_on", "assisted_on", "cleared_on", "rejected_on") %}
        case when {{ column }} <= {{ as_of }} then {{ column }} end as {{ column }},
{% endfor %}
        clearance,
        row_number() over (
            partition by household_id order by discovered_on desc, record_id desc
        ) as place
    from matched_monitoring__cases
    where outcome = 'linked' and discovered_on <= {{ as_of }}
),
told as (
    select
        *,
        cleared_on is not null or coalesce(stage = 8, false) as is_cleared,
        rejected_on is not null as is_rejected
    from known
    where place = 1
)
select
    household_id,
    record_id as case_id,
    monitor_class,
    risk_types,
    stage,
    recorded_on,
    assisted_on,
    cleared_on,
    clearance,
    is_cleared,
    coalesce(is_cleared and cleared_on > {{ window_start }}, false) as is_cleared_in_window,
    not is_cleared and not is_rejected as is_open,
    recorded_on is not null as is_recorded,
    not is_cleared and not is_rejected and discovered_on > {{ window_start }}
        and assisted_on is null and coalesce(stage < 7, false) as is_new
from told
