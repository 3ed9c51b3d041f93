-- The functions of yihu, ops and vault. Made anew by every upgrade. All that read tables their caller may not read are
-- security definer with a fixed search_path (a session's temporary objects come last), and compare grants with session_user.

create or replace function yihu.current_release() returns integer
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen text := nullif(current_setting('yihu.release_id', true), '');
  found integer;
begin
  if chosen is null then
    select c.release_id into found from ops.current_release as c;
    return found;
  end if;
  if chosen ~ '^[0-9]{1,9}$' then
    -- One that was rolled back or given up is read by the auditor only, whatever a session sets.
    select r.release_id into found
    from ops.release as r
    where r.release_id = chosen::integer
      and ((r.pruned_at is null and r.withdrawn_at is null) or yihu_in.role_of_session() = 'auditor');
  end if;
  if found is null then
    raise exception 'release % cannot be read', left(chosen, 20)
      using hint = 'select yihu.yihu_as_of(null) goes back to the current release; yihu.release lists those that can be read';
  end if;
  return found;
end $$;
comment on function yihu.current_release() is 'The release that this session reads: the current one, or the one that yihu_as_of chose.';

create or replace function yihu.current_as_of() returns date
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
  select r.as_of from ops.release as r where r.release_id = yihu.current_release()
$$;
comment on function yihu.current_as_of() is 'The business day of the release that this session reads.';

create or replace function yihu.yihu_as_of(day date) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found integer;
begin
  if day is null then
    perform set_config('yihu.release_id', '', false);
    return yihu.current_release();
  end if;
  select r.release_id into found
  from ops.release as r
  where r.as_of <= day and r.withdrawn_at is null and r.pruned_at is null
  order by r.as_of desc, r.release_id desc
  limit 1;
  if found is null then
    raise exception 'no release on or before % can be read', day using hint = 'yihu.release lists those that can be read';
  end if;
  perform set_config('yihu.release_id', found::text, false);
  return found;
end $$;
comment on function yihu.yihu_as_of(date) is
  'Lets this session read the last release on or before the day, through the same views; null goes back to the current one.';

create or replace function yihu.granted_areas() returns text[]
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(g.area_code), '{}') from ops.area_grant as g where g.login = session_user
$$;
comment on function yihu.granted_areas() is 'The areas that this login was granted.';

create or replace function yihu.granted_departments() returns text[]
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(g.department), '{}') from ops.department_grant as g where g.login = session_user
$$;
comment on function yihu.granted_departments() is 'The departments that this login was granted.';

create or replace function ops.log_access(action text, subject text, reason text, row_count integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ops.access_log (action, subject, reason, row_count) values (action, subject, reason, row_count);
  -- A caller can roll the row back, but not the server's log.
  raise log 'yihu access: % by % on % (% rows)', action, session_user, subject, row_count;
end $$;
comment on function ops.log_access(text, text, text, integer) is 'Writes the access log and, out of reach of a rollback, the server''s log.';

create or replace function ops.name_record() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  select coalesce(new.department, q.department), coalesce(new.records, q.records), coalesce(new.record_id, q.record_id)
  into new.department, new.records, new.record_id
  from (select 1) as one left join ops.review_queue as q on q.queue_id = new.queue_id;
  return new;
end $$;
comment on function ops.name_record() is
  'Writes beside an answer which record it is about, so that it is found again when the pseudonym key changes.';
create trigger name_record before insert on ops.review_decision for each row execute function ops.name_record();

create or replace function yihu.reveal(household_id text)
returns table (member_id text, relation text, name text, id_number text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := household_id;
  areas text[] := yihu.granted_areas();
  seen integer;
begin
  perform 1
  from store.household as h
  where h.household_id = wanted and h.until_release = 2147483647
    and (h.area_code = any(areas) or h.town_code = any(areas) or left(h.area_code, 6) = any(areas));
  if not found then
    raise log 'yihu access: reveal refused to %', session_user;
    raise exception 'no such household in your area' using errcode = 'insufficient_privilege';
  end if;
  select count(*) into seen from vault.person as p where p.household_id = wanted;
  perform ops.log_access('yihu.reveal', wanted, null, seen);
  return query
    select p.member_id, m.relation, p.name, p.id_number
    from vault.person as p
    left join store.household_member as m on m.member_id = p.member_id and m.until_release = 2147483647
    where p.household_id = wanted
    order by m.relation, p.member_id;
end $$;
comment on function yihu.reveal(text) is 'Names and ID numbers of a household of one''s own area; every call is logged.';

create or replace function vault.person_of(wanted_key text, reason text)
returns setof vault.person
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  seen integer;
begin
  perform vault.need_reason(reason);
  select count(*) into seen from vault.person as p where p.person_key = wanted_key;
  perform ops.log_access('vault.person_of', wanted_key, reason, seen);
  return query select * from vault.person as p where p.person_key = wanted_key order by p.member_id;
end $$;

create or replace function vault.need_reason(reason text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(trim(reason), '') = '' then
    raise exception 'say why: the reason is written into the access log' using errcode = 'invalid_parameter_value';
  end if;
end $$;

create or replace function vault.find_person(wanted_number text, reason text)
returns table (person_key text, member_id text, household_id text, name text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  keys text;
  seen integer;
begin
  perform vault.need_reason(reason);
  select string_agg(p.person_key, ' ' order by p.person_key), count(*) into keys, seen
  from vault.person as p where p.id_number = wanted_number;
  perform ops.log_access('vault.find_person', coalesce(keys, 'nobody'), reason, seen);
  return query
    select p.person_key, p.member_id, p.household_id, p.name
    from vault.person as p where p.id_number = wanted_number order by p.member_id;
end $$;

create or replace function vault.quarantine_rows(wanted_department text, wanted_records text, reason text)
returns setof vault.quarantine_row
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  seen integer;
begin
  perform vault.need_reason(reason);
  select count(*) into seen
  from vault.quarantine_row as q where q.department = wanted_department and q.records = wanted_records;
  perform ops.log_access('vault.quarantine_rows', wanted_department || '.' || wanted_records, reason, seen);
  return query
    select * from vault.quarantine_row as q
    where q.department = wanted_department and q.records = wanted_records order by q.batch_id, q.row_number;
end $$;

create or replace function vault.candidates(wanted_entry text, reason text)
returns setof vault.queue_candidate
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  seen integer;
begin
  perform vault.need_reason(reason);
  select count(*) into seen from vault.queue_candidate as c where c.queue_id = wanted_entry;
  perform ops.log_access('vault.candidates', wanted_entry, reason, seen);
  return query select * from vault.queue_candidate as c where c.queue_id = wanted_entry order by c.position;
end $$;
