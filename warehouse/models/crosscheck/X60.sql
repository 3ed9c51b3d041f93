{#-
X60 申报办结风险仍在: a report that is closed, and what it told stands.

table: crosscheck_x60
grain: record
key: household_id, member_id, records, record_id
as: view
same day: counted_loss, crosscheck_active, crosscheck_home, lived_in_dwelling,
    matched_citizen_reports__reports
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import named, of, the_household %}
with held as (
    select
        h.household_id,
        r.record_id as report_id,
        r.difficulty = 'housing' and coalesce(h.r14_dangerous_house in ('C', 'D'), false)
            as has_dwelling,
        r.difficulty = 'housing' and coalesce(h.r16_house_damage in ('2', '3'), false) as has_loss,
        r.difficulty = 'water' and coalesce(h.r17_unsafe_water, false) as has_water,
        r.difficulty = 'schooling' and coalesce(h.r18_dropout_count >= 1, false) as has_dropout
    from matched_citizen_reports__reports as r
    inner join crosscheck_active as m on m.member_id = r.member_id
    inner join crosscheck_home as h on h.household_id = m.household_id
    where r.outcome = 'linked' and r.status = 'closed'
        and cast(r.reported_at as date) <= {{ as_of }}
        and date_diff('day', cast(r.closed_at as date), {{ as_of }})
            between 0 and {{ crosscheck.X60.closed_days }}
)
{{ named("reports", "report_id", "has_dwelling or has_loss or has_water or has_dropout") }}
union all
{{ of("dwellings", "lived_in_dwelling", "h.has_dwelling and r.is_worst") }}
union all
{{ of("losses", "counted_loss", "h.has_loss and r.is_worst") }}
union all
{{ the_household("has_water") }}
union all
{{ of("members", "crosscheck_active", "h.has_dropout and r.dropout") }}
