-- Flags, and reasons, whose household is not in the release.
with homeless as (
  select f.household_id from yihu.warning_flag as f left join yihu.household as h on h.household_id = f.household_id where h.household_id is null
)
select count(*) from homeless
