{#-
R18 and R19: a child out of school, what schooling costs.

table: indicators_education
grain: household
key: household_id
as: view
same day: active_member
-#}
{% from "indicators/exact.jinja" import yuan, members %}
select
    household_id,
    {{ members("dropout", "dropout") }} as r18_dropout_count,
    {{ yuan("max(education_self_pay)") }} as r19_education_burden
from active_member
group by household_id
