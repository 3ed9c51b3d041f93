{#-
What ops.release says of a release.

grain: all
warehouse: yihu.household, yihu.warning_flag
-#}
select
  (select count(*) from yihu.household),
  (select count(*) from yihu.warning_flag where level = 'red'),
  (select count(*) from yihu.warning_flag where level = 'yellow')
