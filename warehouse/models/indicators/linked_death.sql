{#-
Deaths of persons of the register on or before the day.

table: linked_death
grain: record
key: record_id
as: view
same day: matched_civil_affairs__deaths
parameters: as_of, window_start
changes on: matched_civil_affairs__deaths.died_on at day, matched_civil_affairs__deaths.died_on at
    window
-#}
select member_id, record_id, died_on, died_on > {{ window_start }} as is_in_window, _arrived_on
from matched_civil_affairs__deaths
where outcome = 'linked' and died_on <= {{ as_of }}
