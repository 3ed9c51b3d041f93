{#-
Citizens' reports of active members that are still open.

table: open_report
grain: record
key: record_id
same day: active_member, matched_citizen_reports__reports
parameters: as_of
records: reports
counted by: R30
changes on: matched_citizen_reports__reports.reported_at at every_day where status = 'open'
-#}
select
    m.household_id,
    r.record_id,
    cast(date_diff('day', cast(r.reported_at as date), {{ as_of }}) as integer) as age_days,
    r._arrived_on
from matched_citizen_reports__reports as r
inner join active_member as m on m.member_id = r.member_id
where r.outcome = 'linked' and r.status = 'open' and cast(r.reported_at as date) <= {{ as_of }}
