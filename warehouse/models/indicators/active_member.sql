-- Active members: whose facts count.
select * from any_member where is_active
