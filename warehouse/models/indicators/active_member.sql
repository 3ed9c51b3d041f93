{#-
Active members: whose facts count.

table: active_member
grain: member
key: member_id
as: view
same day: any_member
parameters: stable_job_months
records: members
counted by: R01, R20, R21 where worked_before, R22 where working_now, R28, S01 where has_stable_job,
    S02 where public_post, S03 where is_skilled, S05, S14 where pension
-#}
select
    *,
    labour_class = '2' as is_skilled,
    working_now and work_months >= {{ stable_job_months }} as has_stable_job
from any_member
where is_active
