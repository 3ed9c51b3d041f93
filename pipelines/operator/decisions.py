"""Who may do what, and who looked: `make login`, `grant`, `revoke`, `grants`, `rollback`,
`open-gate`, `verify-log`, `who-looked`.

Belongs here: these commands, and asking who decides. Not here: what they call
(`warehouse.database.access`, `warehouse.database.access_log`).
"""

from __future__ import annotations

import argparse
import difflib
import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import sqlalchemy as sa

from expectations.contract import Contract, load_contracts
from expectations.gate import open_gate
from pipelines.command_line.typed import UsageError, ask_for
from pipelines.operator.summary import table
from resources.lake import Lake
from resources.runtime.alerts import note_seal, seals_in_alerts
from resources.server import Server, os_user, warehouse_server, with_login
from resources.settings import Settings, secret_file
from warehouse import publication
from warehouse.database import access
from warehouse.database import access_log as looking
from warehouse.database.actor import Actor
from warehouse.database.extract import make_extract
from warehouse.graph.base import note_withdrawn
from warehouse.graph.inputs import HELD_BACK
from warehouse.migrations.run import upgrade
from warehouse.schema.roles import ROLES

SEE_REJECTED = "make quarantine names those that were"
PERSON = "select person from ops.person where login = :login"
SOMEBODY = """
select p.login from ops.person as p join pg_roles as r on r.rolname = p.login and r.rolcanlogin
where exists (
    select from pg_auth_members as m join pg_roles as g on g.oid = m.roleid
    where m.member = r.oid and g.rolname = any(:roles)
) limit 1
"""
"""A person's login that has a role."""


@contextmanager
def administered(settings: Settings) -> Iterator[tuple[Server, sa.Engine]]:
    """The server and the administrator's engine, the schema as this code has it."""
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        engine = server.engine()
        try:
            upgrade(engine, server.passwords)
            yield server, engine
        finally:
            engine.dispose()


def maker(server: Server, engine: sa.Engine, remark: str = "") -> Actor:
    """Who decides: `YIHU_LOGIN`, let in by the person's own password;
    while there is no such login, the administrator.

    Raises:
        UsageError: where nobody said who decides, that login is not let in, or is nobody's.
    """
    login = _login()
    if login:
        return _person(server, engine, login, remark)
    with engine.connect() as connection:
        somebody = connection.scalar(sa.text(SOMEBODY), {"roles": list(ROLES)})
    if somebody is not None:
        raise UsageError(
            "nobody said who decides:",
            "say who decides: YIHU_LOGIN=… (your own login, as make grants lists it; make login"
            " LOGIN=… ROLE=… PERSON=… makes one)",
        )
    return _administrator(engine, remark)


def _login() -> str:
    login = os.environ.get("YIHU_LOGIN", "").strip()
    return login or (input("Your login (YIHU_LOGIN): ").strip() if sys.stdin.isatty() else "")


def _person(server: Server, engine: sa.Engine, login: str, remark: str) -> Actor:
    if login == engine.url.username:
        raise UsageError(
            f"YIHU_LOGIN is {login}, which is nobody's own:",
            "name the login that make login made for you",
        )
    _let_in(with_login(server.url, login, None))
    with engine.connect() as connection:
        person = connection.scalar(sa.text(PERSON), {"login": login})
    if person is None:
        raise UsageError(
            f"YIHU_LOGIN is {login}, and nobody says whose that is:",
            f"make login LOGIN={login} ROLE=… PERSON=…",
        )
    return Actor(login, os_user(), remark or str(person))


def _administrator(engine: sa.Engine, remark: str) -> Actor:
    """Makes the first login, and another one for who lost the password of their own;
    recorded as what it is.
    """
    print(f"recorded as {engine.url.username} (system user {os_user()})", file=sys.stderr)
    return Actor(None, os_user(), remark or None)


def _let_in(url: sa.URL) -> None:
    """Logs in once as the person; the password comes by PGPASSWORD or PGPASSFILE,
    or is asked for.
    """
    try:
        _connect(url)
        return
    except sa.exc.OperationalError:
        if not sys.stdin.isatty():
            raise UsageError(
                f"YIHU_LOGIN is {url.username}, and the server does not let it in:",
                "put its password into PGPASSFILE or PGPASSWORD",
            ) from None
    try:
        _connect(url.set(password=getpass.getpass(f"Password of {url.username}: ")))
    except sa.exc.OperationalError:
        raise UsageError(
            f"the server does not let {url.username} in with this password",
            "try again, or make login for another",
        ) from None


def _connect(url: sa.URL) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")


def _by(arguments: argparse.Namespace, who: Actor) -> str:
    """The name beside the login: BY= where it was typed, else whose login it is."""
    return arguments.by.strip() or (who.remark or "" if who.login else "")


def give(settings: Settings, arguments: argparse.Namespace) -> int:
    """Gives a login its role and its areas or departments;
    a new login's password goes to a private file.
    """
    with administered(settings) as (server, engine):
        is_new = access.LOGIN.fullmatch(arguments.login) is not None and not _is_there(
            engine, arguments.login
        )
        secret = secret_file(settings.home, f"login_{arguments.login}") if is_new else None
        granted = access.grant(
            engine,
            arguments.login,
            arguments.role,
            _list(arguments.area),
            _list(arguments.department),
            secret.read_text().strip() if secret is not None else None,
            ends_on=_day(arguments.until),
            person=arguments.person or None,
            officer_id=arguments.officer or None,
            maker=maker(server, engine, arguments.by),
        )
    print(_shown(granted))
    if secret is not None:
        print(f"password in {secret}")
    return 0


def make_login(settings: Settings, arguments: argparse.Namespace) -> int:
    """Makes a person's login with its role; prints its password, once.
    Asked again for the same person, a new password.
    """
    with administered(settings) as (server, engine):
        login = _login()
        who = (
            _person(server, engine, login, arguments.by)
            if login
            else _administrator(engine, arguments.by)
        )
        granted, password = access.make_person_login(
            engine,
            arguments.login,
            arguments.role,
            arguments.person,
            arguments.officer or None,
            _list(arguments.area),
            _list(arguments.department),
            ends_on=_day(arguments.until),
            maker=who,
        )
        (settings.home / "secrets" / f"login_{arguments.login}").unlink(missing_ok=True)
    print(_shown(granted))
    print(f"password, shown this once: {password}")
    return 0


def take(settings: Settings, arguments: argparse.Namespace) -> int:
    """Takes areas or departments from a login, or with none named its role and everything."""
    with administered(settings) as (server, engine):
        access.revoke(
            engine,
            arguments.login,
            _list(arguments.area),
            _list(arguments.department),
            maker=maker(server, engine, arguments.by),
        )
    what = " ".join([*_list(arguments.area), *_list(arguments.department)]) or "everything"
    print(f"{arguments.login}: {what} taken away")
    return 0


def show_grants(settings: Settings, arguments: argparse.Namespace) -> int:
    """Who has what, since when, by whom, until when; with --history every change that was made."""
    with administered(settings) as (_, engine):
        if arguments.history:
            with engine.connect() as connection:
                rows = connection.exec_driver_sql(
                    "select at::timestamp(0), login, action, role, coalesce(area_code, department),"
                    " ends_on, made_by, os_user, remark from ops.grant_log order by change_id"
                ).all()
            header = [
                "at",
                "login",
                "action",
                "role",
                "what",
                "until",
                "by",
                "system_user",
                "remark",
            ]
            print(
                table(
                    header, [["-" if cell is None else str(cell) for cell in row] for row in rows]
                )
            )
            return 0
        lines = access.who_has_what(engine)
    header = ["login", "person", "role", "area_or_department", "since", "by", "until"]
    print(
        table(
            header,
            [
                [
                    x.login,
                    x.person,
                    x.role,
                    x.what or "-",
                    _time(x.since),
                    x.made_by,
                    str(x.ends_on or "-"),
                ]
                for x in lines
            ],
        )
    )
    return 0


def go_back(settings: Settings, arguments: argparse.Namespace) -> int:
    """Makes an earlier release current again."""
    why = ask_for("WHY", arguments.why, "Why (recorded): ")
    with administered(settings) as (server, engine):
        who = maker(server, engine, arguments.by)
        moved = publication.rollback(engine, _by(arguments, who), why, arguments.to, maker=who)
    note_withdrawn(Lake(settings.lake), moved.now)
    print(
        f"release {moved.now} of {moved.as_of} is current again (it was {moved.before}); what came"
        " after it is marked as withdrawn"
    )
    return 0


def open_a_gate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Opens the gate of a rejected batch (`--records`, `--batch`) or of a release (`--gate`),
    in a person's name.
    """
    if not arguments.gate and not (arguments.records and arguments.batch):
        raise UsageError(
            "name what to open:",
            "RECORDS=… BATCH=… for a rejected extract, or GATE=… for a release",
        )
    why = ask_for("WHY", arguments.why, "Why (recorded): ")
    with administered(settings) as (server, engine):
        who = maker(server, engine, arguments.by)
        if arguments.gate:
            _is_held_back(Lake(settings.lake), settings.as_of, arguments.gate)
            publication.open_gate(
                engine, settings.as_of, arguments.gate, _by(arguments, who), why, maker=who
            )
            print(
                f"gate {arguments.gate} is open for {settings.as_of}; now run: make sync"
                f" AS_OF={settings.as_of}"
            )
            return 0
        contract = contract_named(arguments.records)
        _was_rejected(Lake(settings.lake), contract, arguments.batch)
        login = who.login or str(engine.url.username)
        gate = open_gate(
            settings.lake,
            contract.table,
            arguments.batch,
            _by(arguments, who),
            why,
            login,
            who.os_user,
        )
    print(
        f"batch {gate.batch_id} may pass, said {gate.who}: {gate.why}; now run: make sync"
        f" AS_OF={settings.as_of}"
    )
    return 0


def _is_held_back(lake: Lake, as_of: date, gate: str) -> None:
    """A gate is opened when it is closed: a release of the day failed at it."""
    if gate not in publication.GATES:
        return  # said better by what opens it
    note = lake.read_note(*HELD_BACK, as_of)
    closed = None if note is None else note.get("gates")
    if note is None or (closed is not None and gate not in closed):
        held = ", ".join(closed or []) or "nothing"
        raise UsageError(
            f"gate {gate} is not closed: what holds the release of {as_of} back is {held}",
            "name a gate that is closed",
        )


def _was_rejected(lake: Lake, contract: Contract, batch: str) -> None:
    rejected = set()
    for day in lake.note_days("ledger", contract.table):
        note = (lake.read_note("ledger", contract.table, day) or {}).get("rejected") or {}
        rejected.add(str(note.get("batch_id")))
    rejected.discard("None")
    if batch not in rejected:
        near = difflib.get_close_matches(batch, sorted(rejected), n=1, cutoff=0.0)
        known = f"; the nearest that was: {near[0]}" if near else ""
        raise UsageError(
            f"BATCH {batch} of {contract.records} was never rejected: there is no gate to"
            f" open{known}",
            SEE_REJECTED,
        )


def contract_named(name: str) -> Contract:
    """The contract of a record type, by its short or long name."""
    contracts = load_contracts()
    for contract in contracts:
        if name in (contract.table, contract.records, f"{contract.department}.{contract.records}"):
            return contract
    near = difflib.get_close_matches(name, [c.records for c in contracts], n=1)
    hint = f" (the nearest is {near[0]})" if near else ""
    raise UsageError(
        f"RECORDS is {name!r}{hint}:",
        f"use one of {', '.join(c.records for c in contracts)}",
    )


def verify_log(settings: Settings, arguments: argparse.Namespace) -> int:
    """Holds the access log against its seals, and these against releases,
    manifests and `--seal` as an alert named it.
    """
    told = looking.seals_in_manifests(settings.lake / "release")
    told += [*seals_in_alerts(settings.home), *(("SEAL", text) for text in _list(arguments.seal))]
    with administered(settings) as (_, engine):
        found = looking.verify(engine, told)
    print(
        f"{found.seals} seals over {found.sealed_rows} rows; {found.unsealed_rows} rows are not"
        f" sealed yet; last seal {found.last or '-'}"
    )
    if found.late:
        print(
            f"?? rows {', '.join(map(str, found.late[:10]))} came when their time was sealed: held"
            " open for long, or put in by hand"
        )
    for problem in found.problems:
        print(f"!! {problem}")
    if found.problems:
        print(
            "-> somebody changed the log by hand: keep the database as it is, and tell whoever"
            " answers for it"
        )
        return 1
    print("nothing was changed or removed")
    return 0


def who_looked(settings: Settings, arguments: argparse.Namespace) -> int:
    """Who asked to see the identities of a household, when, for what and why; refused ones too."""
    with administered(settings) as (_, engine):
        looks = looking.who_looked(engine, arguments.household)
    if not looks:
        print("nobody asked for this household, or there is none of this number")
        return 0
    header = ["at", "officer", "staff_number", "login", "purpose", "outcome", "reason"]
    rows = [
        [
            _time(x.at),
            x.officer,
            x.officer_id or "-",
            x.login,
            x.purpose,
            x.outcome,
            x.reason or "-",
        ]
        for x in looks
    ]
    print(table(header, rows))
    return 0


def extract(settings: Settings, arguments: argparse.Namespace) -> int:
    """Makes an extract of the current release for analysts, under a name,
    with pseudonyms of its own.
    """
    why = ask_for("WHY", arguments.why, "What is it for (recorded): ")
    with administered(settings) as (server, engine):
        release = make_extract(
            engine, arguments.name, arguments.columns, why, maker(server, engine, arguments.by)
        )
    print(
        f"extract {arguments.name} of release {release} is there; analysts read it: select * from"
        f" yihu.extract('{arguments.name}')"
    )
    return 0


def seal_log(settings: Settings, arguments: argparse.Namespace) -> int:
    """Seals what is new in the access log;
    done once an hour by the daemon, and by every publication.
    """
    with administered(settings) as (_, engine):
        last = looking.seal(engine)
    note_seal(settings.home, last)
    print(f"last seal {last or '-'}")
    return 0


def _is_there(engine: sa.Engine, login: str) -> bool:
    with engine.connect() as connection:
        return (
            connection.scalar(
                sa.text("select 1 from pg_roles where rolname = :login"), {"login": login}
            )
            is not None
        )


def _shown(granted: access.Granted) -> str:
    areas, departments = ", ".join(granted.areas) or "-", ", ".join(granted.departments) or "-"
    return f"{granted.login} is {granted.role}; areas: {areas}; departments: {departments}"


def _list(values: Sequence[str]) -> list[str]:
    """Several values, given one by one or with blanks or commas between."""
    return [part for value in values for part in value.replace(",", " ").split()]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(
            f"UNTIL is {text!r}, which is no date:",
            "write it as YYYY-MM-DD",
        ) from None


def _time(moment: object) -> str:
    return "-" if moment is None else str(moment)[:19]
