{#-
Numbers that the map knows as a person's former ones, or that two stewards gave to a person; none
that somebody has today.

table: known_number
grain: member
key: number_hash
same day: spine, steward_answer
earlier day: review_queue as queue_before
earlier day, or own: person_key_map as map_before
-#}
with former as (
    select member_id, number_hash from map_before where number_hash is not null
    union all
    select s.member_id, q.number_hash
    from steward_answer as a
    inner join queue_before as q on q.queue_id = a.queue_id
    inner join spine as s on s.person_key = a.person_key
    where a.decision = 'merge' and q.number_hash is not null and q.reason <> 'register_conflict'
),
unheld as (
    select distinct f.member_id, f.number_hash
    from former as f
    left join spine as s on s.number_hash = f.number_hash
    where s.number_hash is null
),
free as (
    select u.member_id, u.number_hash, s.person_key, s.status
    from unheld as u
    inner join spine as s on s.member_id = u.member_id
),
ranked as (
    select
        number_hash, member_id, person_key,
        row_number() over (
            partition by number_hash order by case when status = '1' then 0 else 1 end, member_id
        ) as place
    from free
),
counted as (
    select number_hash, count(distinct person_key) as person_count from free group by number_hash
)
select r.number_hash, r.member_id, r.person_key, c.person_count
from ranked as r
inner join counted as c on c.number_hash = r.number_hash
where r.place = 1
