{#-
The active ones among them.

table: crosscheck_active
grain: member
key: member_id
as: view
same day: crosscheck_member
-#}
select * from crosscheck_member where is_active
