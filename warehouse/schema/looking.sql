-- Looking at a person, in two steps: `ask` writes the access log and gives a ticket; the second
-- function answers for the ticket, in a later transaction. A log row that was rolled back shows
-- nothing, since nothing was answered for it.

create or replace function ops.tickets_per_hour() returns integer
language sql immutable set search_path = pg_catalog, pg_temp as $$ select 60 $$;
comment on function ops.tickets_per_hour() is 'How often a login may ask in an hour.';

create or replace function ops.holds_number(said text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select regexp_replace(
      translate(normalize(said, NFKC), '〇零○一幺二两三四五六七八九壹贰叁肆伍陆柒捌玖', '00011223456789123456789'),
      '[\s_.,;/|()*+~=#<>·•、，。；（）\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff-]+', '', 'g'
    ) ~ '[0-9]{11}'
$$;
comment on function ops.holds_number(text) is
  'Eleven digits in a row or more, whatever their width and what separates them: an ID number, a '
      'telephone number.';

create or replace function ops.check_reason(purpose text, reason text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  purposes constant text[] := array['visit', 'verify', 'correct', 'help', 'audit'];
begin
  if purpose is null or purpose <> all (purposes) then
    raise exception 'the purpose is one of %', array_to_string(purposes, ', ')
      using errcode = 'invalid_parameter_value';
  end if;
  if coalesce(trim(reason), '') = '' then
    raise exception 'say why: the reason is written into the access log'
      using errcode = 'invalid_parameter_value';
  end if;
  if length(reason) > 500 or reason ~ '[[:cntrl:]]' then
    raise exception 'the reason is one line of at most 500 characters'
      using errcode = 'invalid_parameter_value';
  end if;
  if ops.holds_number(reason) then
    raise exception 'the reason holds what may be an ID number or a telephone number: write it '
        'without, the log holds no identity'
      using errcode = 'invalid_parameter_value';
  end if;
end $$;
comment on function ops.check_reason(text, text) is
  'Refuses a purpose that is none, and a reason that is empty or holds a number.';

create or replace function ops.take_ticket(
  action text, subject text, households text[], row_count integer, is_allowed boolean, purpose text,
  reason text
) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  ticket constant text := 'ask-' || replace(gen_random_uuid()::text, '-', '');
  most constant integer := ops.tickets_per_hour();
  taken integer;
  outcome text;
begin
  perform ops.check_reason(purpose, reason);
  -- What was asked is on the disk before anything is answered.
  perform set_config('synchronous_commit', 'on', true);
  select count(*) into taken
  from ops.access_log as l
  where l.login = session_user and l.at > clock_timestamp() - interval '1 hour'
    and l.ticket_hash is not null;
  if taken >= 2 * most then
    raise log 'yihu access: % by % beyond the limit', action, session_user;
    raise exception 'the limit of % tickets an hour was passed, and % more were asked: nothing '
        'is answered in this hour',
      most, most
      using errcode = 'insufficient_privilege';
  end if;
  outcome := case
    when not is_allowed then 'refused'
    when taken >= most then 'limit'
    else 'granted'
  end;
  insert into ops.access_log (
    login, action, subject, households, row_count, purpose, reason, outcome, transaction_id,
    ticket_hash
  )
  values (session_user, action, subject, households, row_count, purpose, reason, outcome,
    pg_current_xact_id()::text::bigint, sha256(convert_to(ticket, 'UTF8')));
  if taken >= most then
    raise warning 'the limit of % tickets an hour is reached: this one shows nothing, and is '
        'logged',
      most;
  else
    raise notice 'ticket % of % in this hour', taken + 1, most;
  end if;
  -- A caller can roll the row back and then sees nothing; the server's log keeps the attempt.
  raise log 'yihu access: % by % on % (%, % rows)',
    action, session_user, subject, outcome, row_count;
  return ticket;
end $$;
comment on function ops.take_ticket(text, text, text[], integer, boolean, text, text) is
  'Writes a row of the access log, refused ones too, and gives the ticket that shows what was '
      'asked for.';

create or replace function ops.until_written() returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  target constant pg_lsn := pg_current_wal_insert_lsn();
  began constant timestamptz := clock_timestamp();
  -- What was committed with synchronous_commit off is on the disk after three rounds of the WAL
  -- writer at most.
  longest constant interval := current_setting('wal_writer_delay')::interval * 3
    + interval '100 ms';
begin
  while pg_current_wal_flush_lsn() < target and clock_timestamp() < began + longest loop
    perform pg_sleep(0.01);
  end loop;
end $$;
comment on function ops.until_written() is
  'Waits until everything that was committed before is on the disk.';

create or replace function ops.use_ticket(ticket text, actions text[]) returns ops.access_log
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  most constant integer := ops.tickets_per_hour();
  found ops.access_log;
  taken integer;
begin
  if ticket is null or ticket !~ '^ask-[0-9a-f]{32}$' then
    raise exception 'that is no ticket: % gives one', array_to_string(actions, ' or ')
      using errcode = 'invalid_parameter_value',
        hint = 'two steps: ask with purpose and reason, commit, then read by the ticket';
  end if;
  select l.* into found
  from ops.access_log as l
  where l.ticket_hash = sha256(convert_to(ticket, 'UTF8')) and l.login = session_user
    and l.action = any (actions);
  if found.access_id is null then
    raise exception 'no such ticket of yours: what was asked was rolled back, or by somebody else'
      using errcode = 'insufficient_privilege';
  end if;
  if found.at < clock_timestamp() - interval '2 minutes' then
    raise exception 'the ticket is older than two minutes: ask again'
      using errcode = 'insufficient_privilege';
  end if;
  if pg_xact_status(found.transaction_id::text::xid8) is distinct from 'committed' then
    raise exception 'commit first: a ticket shows nothing in the transaction that asked for it'
      using errcode = 'insufficient_privilege';
  end if;
  if found.outcome = 'refused' then
    raise exception 'no such household in your area' using errcode = 'insufficient_privilege';
  end if;
  -- Many sessions that ask at once do not see each other; here all of them have committed.
  select count(*) into taken
  from ops.access_log as l
  where l.login = session_user and l.at > clock_timestamp() - interval '1 hour'
    and l.outcome = 'granted';
  if found.outcome = 'limit' or taken > most then
    raise exception 'the limit of % tickets an hour is reached: wait, or ask whoever administers '
        'yihu',
      most
      using errcode = 'insufficient_privilege';
  end if;
  perform ops.until_written();
  return found;
end $$;
comment on function ops.use_ticket(text, text[]) is
  'The log row of a ticket that is good: committed, of this login, two minutes old at most.';

create or replace function ops.home_at(wanted text) returns store.household
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice
set jit = off set enable_indexscan = on set enable_seqscan = off
set enable_bitmapscan = off set enable_sort = off as $$
declare
  home store.household;
begin
  -- A serializable transaction locks what it reads, everybody sees its locks, and where a row lies
  -- tells its town.
  if current_setting('transaction_isolation') = 'serializable' then
    raise exception 'not in a serializable transaction: its locks tell where a row lies'
      using errcode = 'invalid_transaction_state',
        hint = 'set default_transaction_isolation = ''read committed''';
  end if;
  -- One row is fetched whatever is asked for: a session's counters tell the same of every
  -- household, and of none.
  select h.* into home
  from store.household as h
  where h.household_id <= wanted
  order by h.household_id desc, h.from_release desc
  limit 1;
  return case when home.household_id = wanted then home end;
end $$;
comment on function ops.home_at(text) is
  'The last version of a household, null where there is none.';

create or replace function yihu.is_in_my_area(wanted text) returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  areas constant text[] := yihu.granted_areas();
  home constant store.household := ops.home_at(wanted);
begin
  return coalesce(
    home.until_release = 2147483647
      and (
        home.area_code = any (areas)
        or home.town_code = any (areas)
        or left(home.area_code, 6) = any (areas)
      ),
    false);
end $$;
comment on function yihu.is_in_my_area(text) is
  'Whether a household is in an area that this login was granted.';

create or replace function yihu.ask(household_id text, purpose text, reason text) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  wanted constant text := household_id;
  is_mine constant boolean := yihu.is_in_my_area(wanted);
  home constant store.household := ops.home_at(wanted);
  seen integer := 0;
begin
  if is_mine then
    select count(*) into seen from vault.person as p where p.household_id = wanted;
  end if;
  -- What was typed is not written down unless it is a household's number: it may be anything, an
  -- identity too.
  return ops.take_ticket('yihu.ask', coalesce(home.household_id, 'no such household'),
    array[home.household_id], seen,
    is_mine, purpose, reason);
end $$;
comment on function yihu.ask(text, text, text) is
  'First step to a household''s names: household, purpose (visit, verify, correct, help, audit) '
      'and reason; gives a ticket for reveal.';

create or replace function yihu.reveal(ticket text)
returns table (member_id text, relation text, name text, id_number text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  asked ops.access_log;
begin
  if ticket is null or ticket !~ '^ask-[0-9a-f]{32}$' then
    raise exception 'reveal takes a ticket: 1. select yihu.ask(household_id, purpose, reason); '
        '2. select * from yihu.reveal(ticket)'
      using errcode = 'invalid_parameter_value',
        hint = 'each in a transaction of its own, within two minutes';
  end if;
  asked := ops.use_ticket(ticket, array['yihu.ask']);
  if not yihu.is_in_my_area(asked.subject) then
    raise exception 'no such household in your area' using errcode = 'insufficient_privilege';
  end if;
  return query
    select p.member_id, m.relation, p.name, p.id_number
    from vault.person as p
    left join store.household_member as m
      on m.member_id = p.member_id and m.until_release = 2147483647
    where p.household_id = asked.subject
    order by m.relation, p.member_id;
end $$;
comment on function yihu.reveal(text) is
  'Second step: names and ID numbers of the household that the ticket of yihu.ask is for; own '
      'area only, logged for good.';

create or replace function vault.ask_person(wanted text, purpose text, reason text) returns text
language sql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select ops.take_ticket(
    'vault.ask_person', coalesce(string_agg(distinct p.person_key, ' '), 'nobody'),
    array_agg(distinct p.household_id), count(*)::integer, true, purpose, reason)
  from vault.person as p
  where p.person_key = wanted or p.id_number in (wanted, upper(wanted), lower(wanted))
$$;
comment on function vault.ask_person(text, text, text) is
  'First step to a person, by person_key or ID number (which is not logged); a ticket for '
      'vault.person_of and vault.find_person.';

create or replace function vault.person_of(ticket text) returns setof vault.person
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  asked constant ops.access_log := ops.use_ticket(ticket, array['vault.ask_person']);
begin
  return query
    select *
    from vault.person as p
    where p.person_key = any (string_to_array(asked.subject, ' '))
    order by p.member_id;
end $$;
comment on function vault.person_of(text) is
  'Second step: who the person is that the ticket of vault.ask_person is for.';

create or replace function vault.find_person(ticket text)
returns table (person_key text, member_id text, household_id text, name text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
begin
  return query
    select p.person_key, p.member_id, p.household_id, p.name
    from vault.person_of(ticket) as p;
end $$;
comment on function vault.find_person(text) is
  'Second step: the key of the person that the ticket of vault.ask_person is for.';

create or replace function vault.ask_candidates(
  wanted_entry text, purpose text, reason text
) returns text
language sql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select ops.take_ticket(
    'vault.ask_candidates', coalesce(min(c.queue_id), 'no such entry'),
    array_agg(distinct c.household_id), count(*)::integer, true, purpose, reason)
  from vault.queue_candidate as c where c.queue_id = wanted_entry
$$;
comment on function vault.ask_candidates(text, text, text) is
  'First step to the candidates of a queue entry, unmasked; a ticket for vault.candidates.';

create or replace function vault.candidates(ticket text) returns setof vault.queue_candidate
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  asked constant ops.access_log := ops.use_ticket(ticket, array['vault.ask_candidates']);
begin
  return query
    select *
    from vault.queue_candidate as c
    where c.queue_id = asked.subject
    order by c.position;
end $$;
comment on function vault.candidates(text) is
  'Second step: the candidates, side by side, that the ticket of vault.ask_candidates is for.';

create or replace function vault.ask_quarantine(
  wanted_department text, wanted_records text, purpose text, reason text
) returns text
language sql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select ops.take_ticket(
    'vault.ask_quarantine', coalesce(min(q.department || '.' || q.records), 'no rows'),
    null, count(*)::integer, true, purpose, reason)
  from vault.quarantine_row as q
  where q.department = wanted_department and q.records = wanted_records
$$;
comment on function vault.ask_quarantine(text, text, text, text) is
  'First step to the quarantined rows of a record type as delivered; a ticket for '
      'vault.quarantine_rows.';

create or replace function vault.quarantine_rows(ticket text) returns setof vault.quarantine_row
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  asked constant ops.access_log := ops.use_ticket(ticket, array['vault.ask_quarantine']);
begin
  return query
    select * from vault.quarantine_row as q
    where q.department || '.' || q.records = asked.subject order by q.batch_id, q.row_number;
end $$;
comment on function vault.quarantine_rows(text) is
  'Second step: the rows that the ticket of vault.ask_quarantine is for.';

create or replace function vault.ask_record(record_id text, purpose text, reason text) returns text
language sql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
  select ops.take_ticket(
    'vault.ask_record', coalesce(min(r.record_id), 'no such record'),
    array_agg(distinct r.household_id), count(*)::integer, true, purpose, reason)
  from vault.record_number as r where r.record_id = ask_record.record_id
$$;
comment on function vault.ask_record(text, text, text) is
  'First step to the department''s own number behind a published pseudonym; a ticket for '
      'vault.record_of.';

create or replace function vault.record_of(ticket text)
returns table (department text, records text, record_id text, record_key text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  asked constant ops.access_log := ops.use_ticket(ticket, array['vault.ask_record']);
begin
  return query
    select r.department, r.records, r.record_id, r.record_key
    from vault.record_number as r where r.record_id = asked.subject order by 1, 2;
end $$;
comment on function vault.record_of(text) is
  'Second step: the department''s own number that the ticket of vault.ask_record is for.';

create or replace function yihu.officer(officer_id text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  role constant text := yihu_in.role_of_session();
begin
  if not (
    (role = 'area' and cardinality(yihu.granted_areas()) > 0)
    or (role = 'department' and 'rural_revitalisation' = any (yihu.granted_departments()))
    or pg_has_role(session_user, 'yihu_steward', 'member')
  ) then
    raise exception 'names of officers are for area officers, the department of the assignments '
        'and stewards'
      using errcode = 'insufficient_privilege';
  end if;
  return (select o.officer_name from vault.officer as o where o.officer_id = officer.officer_id);
end $$;
comment on function yihu.officer(text) is
  'The name of an officer by the number that yihu.responsibility has; for staff.';

-- The functions of one step are still there to say what took their place.
create or replace function vault.in_two_steps(first text, second text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'two steps: 1. select vault.%; 2. select * from vault.%(ticket)', first, second
    using errcode = 'invalid_parameter_value';
end $$;
comment on function vault.in_two_steps(text, text) is
  'Names the two steps that took the place of one.';

create or replace function vault.person_of(wanted_key text, reason text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select vault.in_two_steps('ask_person(key, purpose, reason)', 'person_of')
$$;

create or replace function vault.find_person(wanted_number text, reason text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select vault.in_two_steps('ask_person(number, purpose, reason)', 'find_person')
$$;

create or replace function vault.candidates(wanted_entry text, reason text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select vault.in_two_steps('ask_candidates(queue_id, purpose, reason)', 'candidates')
$$;

create or replace function vault.quarantine_rows(
  wanted_department text, wanted_records text, reason text
) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select vault.in_two_steps(
    'ask_quarantine(department, records, purpose, reason)', 'quarantine_rows'
  )
$$;

create or replace function ops.access_line(logged ops.access_log) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select array_to_string(array[
    logged.access_id::text, to_char(logged.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
    logged.login, logged.action,
    logged.subject, logged.reason, logged.row_count::text, logged.purpose, logged.outcome,
    array_to_string(logged.households, ',', '-'), logged.transaction_id::text,
    encode(logged.ticket_hash, 'hex')
  ], chr(31), chr(29))
$$;
comment on function ops.access_line(ops.access_log) is
  'A row of the access log as text, the same on every server; what a seal is over.';

create or replace function ops.seal_log() returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set client_min_messages = notice as $$
declare
  last ops.access_seal;
  sealed int8multirange;
  made ops.access_seal;
  lines text;
begin
  -- One at a time; nobody but the publisher and the owner gets here, so nobody idle stands in the
  -- way.
  lock table ops.access_seal in share row exclusive mode;
  select s.* into last from ops.access_seal as s order by s.seal_id desc limit 1;
  select coalesce(range_agg(s.ids), '{}') into sealed from ops.access_seal as s;
  select min(l.access_id), max(l.access_id), count(*),
    range_agg(int8range(l.access_id, l.access_id + 1)),
    string_agg(ops.access_line(l), chr(10) order by l.access_id)
  into made.from_id, made.to_id, made.row_count, made.ids, lines
  from ops.access_log as l
  where not sealed @> l.access_id;
  if made.row_count > 0 then
    made.hash := encode(
      sha256(convert_to(coalesce(last.hash, '') || chr(10) || lines, 'UTF8')), 'hex'
    );
    insert into ops.access_seal (seal_id, sealed_by, from_id, to_id, row_count, ids, hash)
    values (
      coalesce(last.seal_id, 0) + 1, session_user, made.from_id, made.to_id, made.row_count,
      made.ids, made.hash
    )
    returning * into last;
  end if;
  return last.seal_id || ':' || last.hash;
end $$;
comment on function ops.seal_log() is
  'Seals what was committed to the access log since the last seal, in order of id; gives number '
      'and hash of the last seal.';

create view ops.who_looked as
select (l.at at time zone 'Asia/Shanghai')::date as day, home.household_id,
  coalesce(p.person, l.login) as officer, p.officer_id,
  l.login, coalesce(l.purpose, '-') as purpose, l.action, coalesce(l.outcome, 'granted') as outcome,
  l.reason, l.row_count, l.at,
  l.access_id
from ops.access_log as l
left join ops.person as p on p.login = l.login
left join lateral unnest(
  coalesce(l.households, case when l.action = 'yihu.reveal' then array[l.subject] end)
) as home (household_id)
  on true;
comment on view ops.who_looked is
  'The access log by household, officer, day and purpose: a row for each household that was '
      'asked for, refused or not.';
