{#-
R01 to R03: below the line, income that fell, a household that lives on transfers.

table: indicators_income
grain: household
key: household_id
as: view
same day: household_record, indicators_basic
-#}
{% from "indicators/exact.jinja" import ratio %}
select
    b.household_id,
    b.b24_line_ratio as r01_below_line,
    case when h.previous_net_income > 0 and b.b19_net_income is not null
        then greatest(
            cast(0 as decimal(12,4)),
            {{ ratio("h.previous_net_income - b.b19_net_income", "h.previous_net_income") }}
        )
    end as r02_income_drop,
    case
        when b.b19_net_income is null or h.previous_net_income is null then 'missing'
        when h.previous_net_income > 0 then 'ok'
        else 'not_applicable'
    end as r02_state,
    case
        when b.b19_net_income > 0 then {{ ratio("b.b18_transfer_income", "b.b19_net_income") }}
    end as r03_transfer_share,
    case
        when b.b18_transfer_income is null or b.b19_net_income is null then 'missing'
        when b.b19_net_income > 0 then 'ok'
        else 'not_applicable'
    end as r03_state
from indicators_basic as b
left join household_record as h on h.household_id = b.household_id
