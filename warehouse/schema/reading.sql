-- Whose rows a session reads: asked by every view of `yihu` and by the functions of `yihu_in`
-- behind them. Made anew by every upgrade. All compare with session_user: neither `set role` nor a
-- function that runs as its owner changes it.

create or replace function yihu_in.role_of_session() returns text
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select case
    when pg_has_role(
      session_user, (select n.nspowner from pg_namespace as n where n.nspname = 'store'), 'member'
    )
    then 'all'
    when pg_has_role(session_user, 'yihu_publisher', 'member') then 'all'
    when pg_has_role(session_user, 'yihu_reader', 'member') then 'all'
    when pg_has_role(session_user, 'yihu_steward', 'member') then 'all'
    when pg_has_role(session_user, 'yihu_auditor', 'member') then 'auditor'
    when pg_has_role(session_user, 'yihu_analyst', 'member') then 'analyst'
    when pg_has_role(session_user, 'yihu_area', 'member') then 'area'
    when pg_has_role(session_user, 'yihu_department', 'member') then 'department'
    else 'nobody'
  end
$$;
comment on function yihu_in.role_of_session() is
  'What the login of this session sees of a view that it may select from: all of it, or its own '
      'by areas or departments.';

create or replace function yihu.sees_all() returns boolean
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select yihu_in.role_of_session() = 'all'
$$;
comment on function yihu.sees_all() is
  'This login sees every row of the views that it may select from.';

create or replace function yihu_in.sees_every_source() returns boolean
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select yihu_in.role_of_session() <> 'department'
$$;
comment on function yihu_in.sees_every_source() is
  'How fresh the sources are is for everybody; a department sees its own.';

create or replace function yihu_in.sees_counts() returns boolean
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select yihu_in.role_of_session() = 'analyst'
$$;
comment on function yihu_in.sees_counts() is
  'This login sees counts as they may leave the house, and no household.';

create or replace function yihu_in.sees_totals() returns boolean
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select yihu_in.role_of_session() in ('all', 'auditor')
$$;
comment on function yihu_in.sees_totals() is
  'This login sees what a release counts of everything: it sees all of it, or audits.';

create or replace function yihu_in.granted_towns() returns table (
  first_town text, last_town text, village text, county text
)
language sql stable security definer rows 3
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  with mine as (select distinct unnest(yihu.granted_areas()) as code)
  select
    case when length(m.code) = 6 then m.code || '000' else left(m.code, 9) end,
    case when length(m.code) = 6 then m.code || '999' else left(m.code, 9) end,
    case when length(m.code) = 12 then m.code end,
    case when length(m.code) = 6 then m.code end
  from mine as m
  where not exists (
    select 1 from mine as wider where wider.code <> m.code and starts_with(m.code, wider.code)
  )
$$;
comment on function yihu_in.granted_towns() is
  'The areas of this login as ranges of towns, or a village of one; none lies in another, so '
      'that no row comes twice.';

create or replace function yihu_in.departments_of(owner text, evidence text[]) returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
  select array(select distinct split_part(e, '.', 1) from unnest(evidence) as e union select owner)
$$;
comment on function yihu_in.departments_of(text, text[]) is
  'The departments that a contradiction is about: the owner, and whose records are among its rows.';

create or replace function yihu_in.side_as_seen(
  ids text[], evidence text[], owner text, is_owners boolean
) returns text[]
language sql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  with said as (
    select split_part(e, '.', 1) as department, split_part(e, '|', 1) as records,
      substr(e, strpos(e, '|') + 1) as record_id
    from unnest(evidence) as e
  ),
  side as (
    select s.*, s.department = any (yihu.granted_departments()) as is_own
    from said as s
    where (s.department = owner) = is_owners
  ),
  seen as (
    select s.record_id as word from side as s where s.is_own
    union
    select s.records || ': ' || count(*) from side as s where not s.is_own group by s.records
  )
  select case yihu_in.role_of_session()
    when 'all' then ids
    when 'area' then case when is_owners then ids end
    when 'department' then array(select s.word from seen as s order by s.word)
  end
$$;
comment on function yihu_in.side_as_seen(text[], text[], text, boolean) is
  'One side of a contradiction: its own records for a department, of others'' the count by record '
      'type; for an area the owner''s alone.';
