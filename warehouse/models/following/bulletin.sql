{#-
Rates and ranks per county and town. Ranks are of the rates as shown, among the areas of a level: 1, 1, 1, 4.

table: bulletin
kept: flags
publishes: bulletin
grain: all
key: area_code, measure
order: area_code, measure
same day: bulletin_rate
-#}
select
    area_code,
    case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code,
    measure,
    numerator,
    denominator,
    rate,
    case when rate is not null then cast(rank() over (
        partition by length(area_code), measure, rate is null
        order by case when is_lowest_best then rate else -rate end
    ) as integer) end as rank
from bulletin_rate
