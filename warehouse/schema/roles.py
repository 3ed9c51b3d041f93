"""Who may do what: the roles, their grants, and row security on every table with an `area_code`.

Row security is the second wall: nobody but the publisher has a right on `store` (`reading` says how
the views read it).

Belongs here: the matrix. Not here: giving a login a role and an area (`warehouse.database.access`).
"""

from __future__ import annotations

import psycopg
import sqlalchemy as sa

from warehouse.schema.declared import VIEWS, View
from warehouse.schema.leaving import public_function
from warehouse.schema.lookups import IN_WORDS, LOOKUPS
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.programs import SCHEMAS
from warehouse.schema.reading import function_of

READER, AREA, DEPARTMENT = "yihu_reader", "yihu_area", "yihu_department"
STEWARD, AUDITOR, PUBLISHER = "yihu_steward", "yihu_auditor", "yihu_publisher"
ANALYST = "yihu_analyst"
ROLES = (READER, AREA, DEPARTMENT, STEWARD, AUDITOR, PUBLISHER, ANALYST)
EVERYBODY = ", ".join(ROLES)

AUDITED = (
    "release",
    "current_release",
    "source_status",
    "validation_result",
    "quarantine",
    "review_queue",
    "review_decision",
    "area_grant",
    "department_grant",
    "gate_opening",
    "access_log",
    "access_seal",
    "who_looked",
    "person",
    "grant_log",
    "rollback",
    "opening",
    "contradiction_alias",
    "stopped_after_listing",
)
VAULTED = ("person", "quarantine_row", "queue_candidate", "record_number", "officer")
OF_SESSION = (
    "yihu.current_release()",
    "yihu.current_as_of()",
    "yihu.yihu_as_of(date)",
    "yihu.sees_all()",
    "yihu_in.role_of_session()",
    "yihu_in.sees_every_source()",
    "yihu_in.sees_counts()",
    "yihu_in.sees_totals()",
    "yihu_in.source_status()",
    "yihu_in.departments_of(text, text[])",
    "yihu_in.side_as_seen(text[], text[], text, boolean)",
)
"""What the views ask; none tells more than the session's own."""

IN_AREA = (
    "area_code = any((select yihu.granted_areas())::text[]) or town_code = any((select"
    " yihu.granted_areas())::text[]) or left(area_code, 6) = any((select"
    " yihu.granted_areas())::text[])"
)
IN_DEPARTMENT = "department = any((select yihu.granted_departments())::text[])"


WRITERS_OF_LARGE_OBJECTS = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_truncate(integer, integer)",
    "lo_truncate64(integer, bigint)",
    "lo_unlink(oid)",
    "lowrite(integer, bytea)",
)
LOCKS = tuple(
    f"pg_{'try_' if tries else ''}advisory_{'xact_' if ends else ''}"
    f"lock{'_shared' if shared else ''}({arguments})"
    for tries in (False, True)
    for ends in (False, True)
    for shared in (False, True)
    for arguments in ("bigint", "integer, integer")
)
"""Whoever holds the publishers' lock holds up the publication."""

IS_SUPERUSER = "select rolsuper from pg_roles where rolname = current_user"


def create_roles(connection: sa.Connection) -> None:
    """Makes the roles that are missing.

    Nobody logs in as a role: people and yihu itself have logins of their own (`logins`).
    """
    roles = sa.text("select rolname, rolcanlogin from pg_roles where rolname = any(:names)")
    have = {
        row.rolname: row.rolcanlogin for row in connection.execute(roles, {"names": list(ROLES)})
    }
    for role in ROLES:
        if role not in have:
            # COPY straight into a table needs row security to be out of the way; without it the
            # publisher goes by a staging table.
            passes = (
                " bypassrls"
                if role == PUBLISHER and connection.scalar(sa.text(IS_SUPERUSER))
                else ""
            )
            connection.exec_driver_sql(f"create role {role} nologin{passes}")
        elif have[role]:
            connection.exec_driver_sql(f"alter role {role} nologin password null")


def set_password(connection: sa.Connection, login: str, password: str) -> None:
    """Lets `login` in with `password`."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("passwords are set over psycopg: use a postgresql+psycopg address")
    verifier = raw.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    ).decode()
    quoted = connection.dialect.identifier_preparer.quote(login)
    connection.exec_driver_sql(f"alter role {quoted} login password '{verifier}'")


def grants() -> list[str]:
    made = [f"grant usage on schema yihu to {EVERYBODY}"]
    made += [f"grant execute on function {name} to {EVERYBODY}" for name in OF_SESSION]
    made.append(f"grant select on yihu.release, yihu.source_status to {EVERYBODY}")
    for view in LOOKUPS:
        made.append(f'grant select on yihu."{view.name}" to {EVERYBODY}')
    for view in IN_WORDS:
        made.append(f'grant select on yihu."{view.name}" to {", ".join(readers_of(view))}')
    for view in (*VIEWS, *PERIODIC):
        roles = ", ".join(readers_of(view))
        made.append(f'grant select on yihu."{view.name}" to {roles}')
        made.append(f"grant execute on function {function_of(view)} to {roles}")
        if view.exit:
            made.append(f"grant execute on function {public_function(view)} to {roles}")
    made.append(f"grant select on ops.release, ops.current_release, ops.source_status to {STEWARD}")
    made.append(f"grant execute on function yihu.extract(text), yihu.extracts() to {ANALYST}")
    made.append(f"grant execute on function yihu.granted_areas() to {AREA}")
    made.append(f"grant execute on function yihu.granted_departments() to {DEPARTMENT}")
    made.append(
        f"grant execute on function yihu.ask(text, text, text), yihu.reveal(text) to {AREA}"
    )
    made.append(f"grant execute on function yihu.officer(text) to {AREA}, {DEPARTMENT}, {STEWARD}")
    made += [f"grant usage on schema ops to {AUDITOR}, {STEWARD}, {PUBLISHER}"]
    made += [f"grant select on ops.{name} to {AUDITOR}" for name in AUDITED]
    made += [f"grant usage on schema vault to {STEWARD}, {PUBLISHER}"]
    made.append(f"grant execute on all functions in schema vault to {STEWARD}")
    made.append(
        f"grant select on ops.review_queue, ops.review_decision, ops.quarantine to {STEWARD}"
    )
    made.append(
        "grant insert (queue_id, department, records, record_id, decision, person_key,"
        f" other_person_key, reason) on ops.review_decision to {STEWARD}"
    )
    return made + publisher_grants()


def readers_of(view: View) -> tuple[str, ...]:
    """The roles that may select from a view of `yihu`; whose rows they see is the view's to say."""
    return (
        *view.readers,
        *((DEPARTMENT,) if view.department or view.departments else ()),
        *((ANALYST,) if view.exit else ()),
        PUBLISHER,
    )


def publisher_grants() -> list[str]:
    made = [f"grant usage on schema store to {PUBLISHER}"]
    made += [
        f'grant select, insert, update, delete on store."{view.name}" to {PUBLISHER}'
        for view in (*VIEWS, *PERIODIC)
    ]
    made.append(f"grant select, update on ops.turn to {PUBLISHER}")
    written = (
        "release",
        "current_release",
        "source_status",
        "validation_result",
        "quarantine",
        "review_queue",
        "contradiction_alias",
        "stopped_after_listing",
    )
    made += [
        f"grant select, insert, update, delete on ops.{name} to {PUBLISHER}" for name in written
    ]
    made.append(f"grant select, update on ops.gate_opening to {PUBLISHER}")
    made.append(f"grant select on ops.review_decision, ops.opening to {PUBLISHER}")
    made += [f"grant insert, update, delete on vault.{name} to {PUBLISHER}" for name in VAULTED]
    made.append(f"grant select (member_id, person_key, row_hash) on vault.person to {PUBLISHER}")
    made.append(
        "grant update (queue_id, person_key, other_person_key) on ops.review_decision to"
        f" {PUBLISHER}"
    )
    made.append(f"grant execute on function ops.seal_log() to {PUBLISHER}")
    return made


def policies() -> list[str]:
    made: list[str] = []
    for view in (*VIEWS, *PERIODIC):
        table = f'store."{view.name}"'
        made.append(f"alter table {table} enable row level security")
        if READER in view.readers:
            made.append(
                f"create policy reader_reads on {table} for select to {READER} using (true)"
            )
        made.append(f"create policy area_reads on {table} for select to {AREA} using ({IN_AREA})")
        made.append(
            f"create policy publisher_does on {table} for all to {PUBLISHER} using (true) with"
            " check (true)"
        )
        if view.department:
            made.append(
                f"create policy department_reads on {table} for select to {DEPARTMENT} using"
                f" ({_own(view)})"
            )
        if view.departments:
            made.append(
                f"create policy department_reads on {table} for select to {DEPARTMENT} using"
                f" ({view.departments.replace('t.', '')} && (select"
                " yihu.granted_departments())::text[])"
            )
    made.append("alter table ops.source_status enable row level security")
    others = ", ".join(role for role in ROLES if role not in (DEPARTMENT, PUBLISHER))
    made.append(f"create policy all_read on ops.source_status for select to {others} using (true)")
    made.append(
        f"create policy department_reads on ops.source_status for select to {DEPARTMENT} using"
        f" ({IN_DEPARTMENT})"
    )
    made.append(
        f"create policy publisher_does on ops.source_status for all to {PUBLISHER} using (true)"
        " with check (true)"
    )
    return made


def _own(view: View) -> str:
    department = str(view.department).replace("t.", "")
    return f"({department}) = any((select yihu.granted_departments())::text[])"


def drop_policies(connection: sa.Connection) -> None:
    """Drops every policy on the warehouse's tables."""
    found = connection.execute(
        sa.text(
            "select policyname, schemaname, tablename from pg_policies where schemaname in"
            " ('store', 'ops', 'vault') order by 1, 2, 3"
        )
    )
    for policy, schema, table in found.all():
        connection.exec_driver_sql(f'drop policy "{policy}" on "{schema}"."{table}"')


def built_in() -> list[str]:
    """What PostgreSQL lets everybody do and a reader has no use for;
    only a superuser can take it away.
    """
    made = [
        f"revoke execute on function pg_catalog.{name} from public"
        for name in (*WRITERS_OF_LARGE_OBJECTS, *LOCKS)
    ]
    return made + [f"grant execute on function pg_catalog.{name} to {PUBLISHER}" for name in LOCKS]


def close_database(connection: sa.Connection) -> None:
    """Temporary tables are the publisher's alone.

    A restored or copied database does not bring this along: done at every upgrade.
    """
    if connection.scalar(
        sa.text("select has_database_privilege('public', current_database(), 'temporary')")
    ):
        name = connection.dialect.identifier_preparer.quote(
            str(connection.scalar(sa.text("select current_database()")))
        )
        connection.exec_driver_sql(f"revoke temporary on database {name} from public")
        connection.exec_driver_sql(f"grant temporary on database {name} to {PUBLISHER}")


def apply_grants(connection: sa.Connection) -> None:
    """Takes away what the roles and the public have on the warehouse,
    and gives what is written here.
    """
    everybody = f"public, {EVERYBODY}"
    for schema in SCHEMAS:
        connection.exec_driver_sql(f"revoke all on schema {schema} from {everybody}")
        connection.exec_driver_sql(f"revoke all on all tables in schema {schema} from {everybody}")
        connection.exec_driver_sql(
            f"revoke all on all sequences in schema {schema} from {everybody}"
        )
        connection.exec_driver_sql(
            f"revoke all on all functions in schema {schema} from {everybody}"
        )
    by_superuser = built_in() if connection.scalar(sa.text(IS_SUPERUSER)) else []
    for statement in grants() + policies() + by_superuser:
        connection.exec_driver_sql(statement)
