{#-
The eight stages of each monitored household. Overdue: a stage that is not reached more days after
another than it may take; what was reached late is late no longer, what was reached before its turn
(aid first, 绿色通道) is not waited for, and a case that was not recognised has ended.

table: case_progress
kept: flags
publishes: case_progress
grain: record
key: case_id
order: case_id
same day: any_member, household, matched_citizen_reports__reports, matched_monitoring__cases
parameters: as_of, deadlines, stages, support
-#}
with report as (
    select m.household_id, r.record_id as report_id, r.reported_at
    from matched_citizen_reports__reports as r
    inner join any_member as m on m.member_id = r.member_id
    where r.outcome = 'linked' and cast(r.reported_at as date) <= {{ as_of }}
),
grown_out_of as (
    select
        c.record_id as case_id,
        r.report_id,
        row_number() over (
            partition by c.record_id order by r.reported_at desc, r.report_id desc
        ) as place
    from matched_monitoring__cases as c
    inner join report as r
        on r.household_id = c.household_id
            and cast(r.reported_at as date) <= c.discovered_on
            and date_diff('day', cast(r.reported_at as date), c.discovered_on)
                <= {{ support.report_days }}
    where c.report_id is null
),
known as (
    select
        c.record_id as case_id,
        c.household_id,
        h.area_code,
        c.monitor_class,
        string_split(replace(c.risk_types, ' ', ''), ',') as risk_types,
        cast(c.stage as integer) as stage,
        case c.stage
{% for stage in stages %}
            when {{ loop.index }}
                then {{
                    "greatest(c.assisted_on, c.recorded_on)" if stage == "assisted"
                    else "c." ~ stage ~ "_on"
                }}
{% endfor %}
        end as reached_on,
        coalesce(c.rejected_on <= {{ as_of }}, false) as is_rejected,
{% for stage in stages %}
        c.{{ stage }}_on,
{% endfor %}
        c.channel,
        c.green_channel,
        coalesce(c.report_id, g.report_id) as report_id,
        case when c.authorised_on <= {{ as_of }} then c.authorised_on end as authorised_on,
        c.posted_until,
        c.objection,
        case when c.rejected_on <= {{ as_of }} then c.rejected_on end as rejected_on,
        c.clearance
    from matched_monitoring__cases as c
    inner join household as h on h.household_id = c.household_id
    left join grown_out_of as g on g.case_id = c.record_id and g.place = 1
    where c.outcome = 'linked' and c.discovered_on <= {{ as_of }}
)
select
    case_id,
    household_id,
    area_code,
    substr(area_code, 1, 9) as town_code,
    monitor_class,
    risk_types,
    stage,
    case
        when reached_on is not null
            then cast(greatest(date_diff('day', reached_on, {{ as_of }}), 0) as integer)
    end as days_in_stage,
    not is_rejected
        and ({% for d in deadlines %}{{ " or " if not loop.first }}(
            stage < {{ d.number }}
            and {{ stages[d.number - 1] }}_on is null
            and coalesce(date_diff('day', {{ d.after }}_on, {{ as_of }}) > {{ d.days }}, false)
        ){% else %}false{% endfor %}) as is_overdue,
{% for stage in stages %}
    {{ stage }}_on,
{% endfor %}
    channel,
    green_channel,
    report_id,
    authorised_on,
    posted_until,
    objection,
    rejected_on,
    clearance
from known
