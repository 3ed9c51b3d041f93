-- The functions of yihu, ops and vault. Made anew by every upgrade. All that read tables their
-- caller may not read are security definer with a fixed search_path (a session's temporary objects
-- come last), and compare grants with session_user.

create or replace function ops.today() returns date
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select (clock_timestamp() at time zone 'Asia/Shanghai')::date
$$;
comment on function ops.today() is 'The business day that is running.';

create or replace function yihu.current_release() returns integer
language plpgsql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
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
      and (
        (r.pruned_at is null and r.withdrawn_at is null)
        or yihu_in.role_of_session() = 'auditor'
      );
  end if;
  if found is null then
    raise exception 'release % cannot be read', left(chosen, 20)
      using hint = 'select yihu.yihu_as_of(null) goes back to the current release; yihu.release '
          'lists those that can be read';
  end if;
  return found;
end $$;
comment on function yihu.current_release() is
  'The release that this session reads: the current one, or the one that yihu_as_of chose.';

create or replace function yihu.current_as_of() returns date
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select r.as_of from ops.release as r where r.release_id = yihu.current_release()
$$;
comment on function yihu.current_as_of() is
  'The business day of the release that this session reads.';

create or replace function yihu.yihu_as_of(day date) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
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
    raise exception 'no release on or before % can be read', day
      using hint = 'yihu.release lists those that can be read';
  end if;
  perform set_config('yihu.release_id', found::text, false);
  return found;
end $$;
comment on function yihu.yihu_as_of(date) is
  'Lets this session read the last release on or before the day, through the same views; null '
      'goes back to the current one.';

create or replace function yihu.granted_areas() returns text[]
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select coalesce(array_agg(g.area_code), '{}') from ops.area_grant as g
  where g.login = session_user and (g.ends_on is null or g.ends_on >= ops.today())
$$;
comment on function yihu.granted_areas() is 'The areas that this login was granted.';

create or replace function yihu.granted_departments() returns text[]
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select coalesce(array_agg(g.department), '{}') from ops.department_grant as g
  where g.login = session_user and (g.ends_on is null or g.ends_on >= ops.today())
$$;
comment on function yihu.granted_departments() is 'The departments that this login was granted.';
