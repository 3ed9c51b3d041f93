{#-
Active members: whose facts count.

table: active_member
grain: member
key: member_id
as: view
same day: any_member
-#}
select * from any_member where is_active
