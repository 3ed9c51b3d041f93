-- Deciding: who made a decision is taken from the session, when from the clock; what was decided
-- can only be added to.

create or replace function ops.acting_login() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  -- The owner's session acts for the person whose password a command has just checked; nobody
  -- else's word counts.
  select case
    when pg_has_role(
      session_user, (select n.nspowner from pg_namespace as n where n.nspname = 'ops'), 'member'
    )
    then coalesce(nullif(current_setting('yihu.acting_login', true), ''), session_user)
    else session_user::text
  end
$$;
comment on function ops.acting_login() is
  'Who decides: the session''s login, or the one for which the owner''s session acts.';

create or replace function ops.os_user() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when not ops.holds_number(said.word) then left(said.word, 100) end
  from nullif(current_setting('yihu.os_user', true), '') as said (word)
$$;
comment on function ops.os_user() is 'The operating system''s user, as the client says.';

create or replace function ops.append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  -- The columns that may change: a publisher moves answers to new keys, and says which release a
  -- gate let pass.
  changing text[] := tg_argv::text[];
begin
  if tg_op = 'UPDATE' and cardinality(changing) > 0
    and to_jsonb(new) - changing = to_jsonb(old) - changing
  then
    return new;
  end if;
  raise exception '%.% can only be appended to: % is refused',
    tg_table_schema, tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end $$;
comment on function ops.append_only() is 'Refuses to change or remove what was written.';

create or replace function ops.is_identity(person text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select person !~ '^[0-9a-f]{32,64}$' and ops.holds_number(person)
$$;
comment on function ops.is_identity(text) is
  'What was given for a person''s key holds an ID number or a telephone number.';

create or replace function ops.name_record() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  question ops.review_queue;
begin
  set constraints ops.not_dated_back deferred;
  select q.* into question from ops.review_queue as q where q.queue_id = new.queue_id;
  if question.queue_id is null then
    raise exception 'no such question is open now: take its queue_id from ops.review_queue'
      using errcode = 'foreign_key_violation';
  end if;
  if ops.holds_number(new.reason) then
    raise exception 'the reason holds what may be an ID number or a telephone number: write it '
        'without'
      using errcode = 'invalid_parameter_value';
  end if;
  if ops.is_identity(new.person_key) or ops.is_identity(new.other_person_key) then
    raise exception 'a person is named by the key: vault.find_person gives that of an ID number'
      using errcode = 'invalid_parameter_value';
  end if;
  new.department := coalesce(question.department, new.department);
  new.records := coalesce(question.records, new.records);
  new.record_id := coalesce(question.record_id, new.record_id);
  new.decided_by := ops.acting_login();
  new.decided_at := clock_timestamp();
  new.os_user := ops.os_user();
  new.person := (select p.person from ops.person as p where p.login = new.decided_by);
  return new;
end $$;
comment on function ops.name_record() is
  'Writes beside an answer who gave it and when, and which record it is about, so that it is '
      'found again when the pseudonym key changes.';

create or replace function ops.not_dated_back() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  -- What the client sent just now: its COMMIT or the one statement that commits itself; nothing at
  -- the end of an extended query.
  said constant text := coalesce(current_query(), '');
begin
  -- A session may let a deferred trigger look before it commits, and hold the transaction open
  -- then.
  if said ~* 'constraints|prepare' or strpos(rtrim(said, E' \t\r\n;'), ';') > 0 then
    raise exception 'a decision is looked at when it is committed: send it as one statement, '
        'without set constraints, prepare or "; "'
      using errcode = 'invalid_transaction_state';
  end if;
  -- A cursor that outlives its transaction is read to its end after this, before the commit: as
  -- slowly as its query says.
  if exists (
    select from pg_cursors as c where c.is_holdable and c.creation_time >= transaction_timestamp()
  ) then
    raise exception 'a decision is looked at when it is committed: commit it without a cursor '
        'with hold'
      using errcode = 'invalid_transaction_state';
  end if;
  if clock_timestamp() > new.decided_at + interval '2 minutes' then
    raise exception 'decided more than two minutes before it was committed: decide again'
      using errcode = 'invalid_transaction_state';
  end if;
  return null;
end $$;
comment on function ops.not_dated_back() is 'Refuses a decision that was held open.';

create or replace function ops.sign() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
begin
  if tg_table_name = 'gate_opening' then
    new.login := ops.acting_login();
    new.opened_at := clock_timestamp();
  elsif tg_table_name = 'person' then
    new.added_by := ops.acting_login();
    new.added_at := clock_timestamp();
  elsif tg_table_name = 'opening' then
    new.opened_by := ops.acting_login();
    new.opened_at := clock_timestamp();
    new.person := (select p.person from ops.person as p where p.login = new.opened_by);
  else
    new.made_by := ops.acting_login();
    new.at := clock_timestamp();
  end if;
  new.os_user := ops.os_user();
  return new;
end $$;
comment on function ops.sign() is 'Writes beside a decision who made it, and when.';

create or replace function ops.log_grant() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  changed constant jsonb := coalesce(to_jsonb(new), to_jsonb(old));
begin
  if tg_op = 'UPDATE' and to_jsonb(old) = to_jsonb(new) then
    return null;
  end if;
  insert into ops.grant_log (action, login, role, area_code, department, ends_on, remark)
  values (case when tg_op = 'DELETE' then 'revoke' else 'grant' end, changed ->> 'login',
    case when tg_table_name = 'area_grant' then 'yihu_area' else 'yihu_department' end,
    changed ->> 'area_code', changed ->> 'department', (changed ->> 'ends_on')::date,
    nullif(current_setting('yihu.remark', true), ''));
  return null;
end $$;
comment on function ops.log_grant() is
  'Writes every change of what a login was granted into ops.grant_log, by whatever way it came.';

create or replace function ops.sign_grant() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
begin
  new.granted_by := ops.acting_login();
  new.granted_at := clock_timestamp();
  return new;
end $$;
comment on function ops.sign_grant() is 'Writes beside a grant who gave it, and when.';

create trigger name_record before insert on ops.review_decision
  for each row execute function ops.name_record();
create constraint trigger not_dated_back after insert on ops.review_decision
  deferrable initially deferred for each row execute function ops.not_dated_back();
create trigger sign before insert on ops.gate_opening for each row execute function ops.sign();
create trigger sign before insert on ops.opening for each row execute function ops.sign();
create trigger sign before insert on ops.rollback for each row execute function ops.sign();
create trigger sign before insert on ops.grant_log for each row execute function ops.sign();
create trigger sign before insert on ops.person for each row execute function ops.sign();
create trigger sign_grant before insert or update on ops.area_grant
  for each row execute function ops.sign_grant();
create trigger sign_grant before insert or update on ops.department_grant
  for each row execute function ops.sign_grant();
create trigger log_grant after insert or update or delete on ops.area_grant
  for each row execute function ops.log_grant();
create trigger log_grant after insert or update or delete on ops.department_grant
  for each row execute function ops.log_grant();

create trigger append_only before update or delete on ops.access_log
  for each row execute function ops.append_only();
create trigger append_only before update or delete on ops.access_seal
  for each row execute function ops.append_only();
create trigger append_only before update or delete on ops.opening
  for each row execute function ops.append_only();
create trigger append_only before update or delete on ops.rollback
  for each row execute function ops.append_only();
create trigger append_only before update or delete on ops.grant_log
  for each row execute function ops.append_only();
create trigger append_only before update or delete on ops.person
  for each row when (old.person <> old.login) execute function ops.append_only();
create trigger append_only before update or delete on ops.gate_opening
  for each row execute function ops.append_only('used_by_release');
create trigger append_only before update or delete on ops.review_decision
  for each row execute function ops.append_only('queue_id', 'person_key', 'other_person_key');
create trigger never_emptied before truncate on ops.access_log execute function ops.append_only();
create trigger never_emptied before truncate on ops.access_seal execute function ops.append_only();
create trigger never_emptied before truncate on ops.opening execute function ops.append_only();
create trigger never_emptied before truncate on ops.rollback execute function ops.append_only();
create trigger never_emptied before truncate on ops.grant_log execute function ops.append_only();
create trigger never_emptied before truncate on ops.person execute function ops.append_only();
create trigger never_emptied before truncate on ops.gate_opening execute function ops.append_only();
create trigger never_emptied before truncate on ops.review_decision
  execute function ops.append_only();
