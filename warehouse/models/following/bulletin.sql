{#-
Rates and ranks per county and town. Ranks are of the rates as shown, among the areas of a level:
1, 1, 1, 4; no known town (000) has none.

table: bulletin
kept: flags
publishes: bulletin
grain: all
key: area_code, measure
order: area_code, measure
same day: bulletin_rate
-#}
with known as (
    select *, length(area_code) = 9 and right(area_code, 3) = '000' as is_nowhere
    from bulletin_rate
)
select
    area_code,
    case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code,
    measure,
    numerator,
    denominator,
    rate,
    case when rate is not null and not is_nowhere then cast(rank() over (
        partition by length(area_code), is_nowhere, measure, rate is null
        order by case when is_lowest_best then rate else -rate end
    ) as integer) end as rank
from known
