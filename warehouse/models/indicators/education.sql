{#-
R18 and R19: a child out of school, what schooling costs.

table: indicators_education
grain: household
key: household_id
as: view
same day: schooling
-#}
{% from "indicators/exact.jinja" import yuan, members %}
select
    household_id,
    {{ members("dropout", "dropout") }} as r18_dropout_count,
    {{ yuan("max(education_self_pay) filter (where is_burden)") }} as r19_education_burden
from schooling
group by household_id
