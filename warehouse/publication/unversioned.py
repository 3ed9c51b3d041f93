"""What goes along with a release and is not versioned:
sources, validation, quarantine, queue, and the vault.

Belongs here: loading those tables from the engine, in the release's transaction. Not here: what is
versioned (`publish`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.dialects import postgresql

from expectations.engine import SqlEngine
from warehouse.publication.errors import REPORT, PublicationError
from warehouse.publication.wire import Wire
from warehouse.schema import METADATA

LONG_NUMBER = "[0-9]{14}"
"""A record key with so many digits in a row may be an ID number: it stays in the vault."""


@dataclass(frozen=True)
class UnversionedTable:
    """A table that is replaced as a whole, or for its day; `of`:
    what identifies the part that is replaced.
    """

    schema: str
    table: str
    of: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Column and SQL type."""
        table = METADATA.tables[f"{self.schema}.{self.table}"]
        return {column.name: column.type.compile(dialect=POSTGRES) for column in table.columns}


POSTGRES = postgresql.dialect()

TABLES = {
    "validation_result": UnversionedTable("ops", "validation_result", "as_of"),
    "quarantine": UnversionedTable("ops", "quarantine"),
    "review_queue": UnversionedTable("ops", "review_queue"),
    "quarantine_row": UnversionedTable("vault", "quarantine_row"),
    "queue_candidate": UnversionedTable("vault", "queue_candidate"),
    "record_number": UnversionedTable("vault", "record_number"),
    "officer": UnversionedTable("vault", "officer"),
    "contradiction_alias": UnversionedTable("ops", "contradiction_alias"),
    "stopped_after_listing": UnversionedTable("ops", "stopped_after_listing"),
}
PERSON = "person"
RESPELT = "respelt"
"""Questions that were asked under another id (`former_id`, `queue_id`), which depended on the
spelling of number and name."""
NAMES = (*TABLES, PERSON, RESPELT)


def load_source_status(wire: Wire, engine: SqlEngine, source: str, release_id: int) -> None:
    """The state of every source for this release, in place of what was said of it before."""
    wire.execute("delete from ops.source_status where release_id = $1::integer", release_id)
    _load(
        wire,
        engine,
        UnversionedTable("ops", "source_status"),
        source,
        {"release_id": f"{release_id}"},
    )


def load(wire: Wire, engine: SqlEngine, as_of: date, sources: Mapping[str, str]) -> None:
    """Loads the tables that `sources` names (table → engine view); the others stay as they are.

    Columns are matched by name; those that the engine's view lacks are null.
    """
    unknown = sorted(set(sources) - set(NAMES))
    if unknown:
        raise PublicationError(f"no such table beside a release: {', '.join(unknown)}", REPORT)
    rekeyed = PERSON in sources and _load_person(wire, engine, sources[PERSON])
    for name, source in sources.items():
        if name in (PERSON, RESPELT):
            continue
        beside = TABLES[name]
        day = as_of.isoformat()
        where = f" where {beside.of} = date '{day}'" if beside.of else ""
        wire.execute(f"delete from {beside.schema}.{beside.table}{where}")
        _load(wire, engine, beside, source, {"as_of": f"date '{day}'"})
    if "review_queue" in sources and "queue_candidate" in sources:
        wire.execute(MASKED)
    if RESPELT in sources:
        _move_answers(wire, engine, sources[RESPELT])
    if rekeyed:
        wire.execute(FOUND_AGAIN)


def _move_answers(wire: Wire, engine: SqlEngine, source: str) -> None:
    """An answer goes with its question to the id that the question has now."""
    stage = "stage_respelt"
    wire.execute(f"create temporary table {stage} (former_id text, queue_id text) on commit drop")
    wire.load(stage, engine.arrow(f'select former_id, queue_id from "{source}"'))
    set_id = "update ops.review_decision as d set queue_id = s.queue_id"
    wire.execute(f"{set_id} from {stage} as s where d.queue_id = s.former_id")


FOUND_AGAIN = """
update ops.review_decision as d set queue_id = q.queue_id
from ops.review_queue as q
where q.department = d.department and q.records = d.records and q.record_id = d.record_id
    and q.queue_id <> d.queue_id
"""
"""With another key the queue's entries have other numbers:
an answer goes to the entry of the same record.
"""

MASKED = """
update ops.review_queue as q set candidates = c.listed
from (
  select queue_id,
    jsonb_agg(jsonb_build_object('person_key', person_key, 'member_id', member_id,
      'household_id', household_id, 'name_masked', left(name, 1) || '*',
      'name_agreement', name_agreement) order by position) as listed
  from stage_queue_candidate group by queue_id
) as c
where c.queue_id = q.queue_id
"""
"""The candidates side by side as everybody but a steward sees them."""


def _load(
    wire: Wire, engine: SqlEngine, beside: UnversionedTable, source: str, fixed: Mapping[str, str]
) -> None:
    """By way of a staging table; `fixed`: columns with a value of their own.
    Columns that the source lacks are null.
    """
    have = {name for name, _ in engine.columns(f'select * from "{source}"')}
    columns = beside.columns
    stage = f"stage_{beside.table}"
    declared = ", ".join(
        f"{name} {'text' if kind == 'JSONB' else kind}" for name, kind in columns.items()
    )
    wire.execute(f"create temporary table {stage} ({declared}) on commit drop")
    picked = ", ".join(
        f"cast({fixed.get(name) or _picked(beside, name, have)} as {_engine_kind(kind)}) as {name}"
        for name, kind in columns.items()
    )
    wire.load(stage, engine.arrow(f'select {picked} from "{source}"'))
    casts = ", ".join(
        f"{name}::jsonb" if kind == "JSONB" else name for name, kind in columns.items()
    )
    wire.execute(
        f"insert into {beside.schema}.{beside.table} ({', '.join(columns)}) select {casts} from"
        f" {stage}"
    )


def _picked(beside: UnversionedTable, name: str, have: set[str]) -> str:
    if name not in have or name == "candidates":
        return "null"
    if beside.schema == "ops" and name in ("record_key", "record_id"):
        return f"case when not regexp_matches({name}, '{LONG_NUMBER}') then {name} end"
    return name


def _engine_kind(kind: str) -> str:
    engine_kinds = {
        "TEXT": "varchar",
        "JSONB": "varchar",
        "TEXT[]": "varchar[]",
        "BYTEA": "blob",
        "TIMESTAMP WITHOUT TIME ZONE": "timestamp",
    }
    return engine_kinds.get(kind, kind.lower().replace("numeric", "decimal"))


PERSON_COLUMNS = ("member_id", "person_key", "household_id", "id_number", "name")


def _load_person(wire: Wire, engine: SqlEngine, source: str) -> bool:
    """Who is behind each key: only the rows that differ are touched.
    True where most persons have other keys than before.
    """
    text = ", ".join(f"coalesce(cast({name} as varchar), chr(29))" for name in PERSON_COLUMNS)
    columns = ", ".join(f"cast({name} as varchar) as {name}" for name in PERSON_COLUMNS)
    engine.table(
        "vault_person",
        f'select {columns}, unhex(md5(concat_ws(chr(30), {text}))) as row_hash from "{source}"'
        " where member_id is not null",
    )
    written = wire.arrow("select member_id, row_hash from vault.person")
    if written.num_rows == 0:
        wire.load("person", engine.arrow("select * from vault_person"), schema="vault")
        rekeyed = False
    else:
        engine.from_arrow("vault_written", written)
        rekeyed = _load_difference(wire, engine)
    for name in ("vault_person", "vault_written"):
        engine.drop(name)
    return rekeyed


def _load_difference(wire: Wire, engine: SqlEngine) -> bool:
    gone = (
        "select w.member_id from vault_written as w left join vault_person as p using (member_id)"
        " where p.member_id is null"
    )
    wire.execute("create temporary table stage_gone (member_id text) on commit drop")
    wire.load("stage_gone", engine.arrow(gone))
    declared = ", ".join(f"{name} text" for name in PERSON_COLUMNS)
    wire.execute(f"create temporary table stage_person ({declared}, row_hash bytea) on commit drop")
    differs = "w.row_hash is null or w.row_hash <> p.row_hash"
    wire.load(
        "stage_person",
        engine.arrow(
            "select p.* from vault_person as p left join vault_written as w using (member_id)"
            f" where {differs}"
        ),
    )
    rekeyed = _follow_new_keys(wire)
    for stage in ("stage_gone", "stage_person"):
        wire.execute(f"analyze {stage}")
        wire.execute(
            f"delete from vault.person as p using {stage} as g where p.member_id = g.member_id"
        )
    names = ", ".join((*PERSON_COLUMNS, "row_hash"))
    wire.execute(f"insert into vault.person ({names}) select {names} from stage_person")
    return rekeyed


def _follow_new_keys(wire: Wire) -> bool:
    """A person whose key changed takes the stewards' decisions along.

    True where most did: the secret was rotated or lost.
    """
    wire.execute(
        "create temporary table stage_rekeyed on commit drop as select distinct p.person_key as"
        " old_key, n.person_key as new_key from stage_person as n join vault.person as p using"
        " (member_id) where p.person_key <> n.person_key"
    )
    changed = int(wire.scalar("select count(*) from stage_rekeyed"))
    if not changed:
        return False
    for column in ("person_key", "other_person_key"):
        wire.execute(
            f"update ops.review_decision as d set {column} = r.new_key from stage_rekeyed as r"
            f" where d.{column} = r.old_key"
        )
    return 2 * changed > int(wire.scalar("select count(distinct person_key) from vault.person"))
