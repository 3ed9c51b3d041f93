-- What ops.release says of a release.
select
  (select count(*) from yihu.household),
  (select count(*) from yihu.warning_flag where level = 'red'),
  (select count(*) from yihu.warning_flag where level = 'yellow')
