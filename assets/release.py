"""The release: what consumers read, published to PostgreSQL in one transaction.

Belongs here: what is published. Not here: how (`warehouse.publication`), who may see it
(`warehouse.schema`).
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import dagster as dg
import sqlalchemy as sa

from assets.described import DAILY, TO_THE_SERVER, code_references
from expectations.contract import Contract
from expectations.errors import YihuError
from resources.release_folders import published_in
from resources.runtime.alerts import note_seal
from resources.runtime.context import RunContext
from resources.runtime.failures import failure
from resources.settings import ROOT, today
from warehouse.catalogue import load_catalogue
from warehouse.following_rules import load_following
from warehouse.further_rules import load_further
from warehouse.graph.base import WITHDRAWN
from warehouse.graph.inputs import HELD_BACK, MADE_OF, made_of
from warehouse.graph.registry import layer_and_folder, published_tables
from warehouse.known import county_known_from
from warehouse.migrations.run import upgrade
from warehouse.officers import ASSIGNMENTS, build_officers
from warehouse.publication import AuditFailed, RunSource, publish
from warehouse.publication.content import Known
from warehouse.publication.known import known_tables
from warehouse.record_numbers import build_record_numbers
from warehouse.schema.shape import Shape, shape_of
from warehouse.scoring_rules import Versioned, load_rules, named

PUBLISHED = published_tables()


def code_version() -> str:
    """The commit that runs, or `unknown` where the code is not in a checkout."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


LOADED: Mapping[str, Callable[[date], Versioned]] = {
    "rule_version": load_rules,
    "following_version": load_following,
    "catalogue_version": load_catalogue,
    "further_version": load_further,
}
"""What a release names, and what gives that of a day."""


def refuse_edited_rules(house: RunContext) -> None:
    """Raises `RuleError` where the files no longer give a version that a release was made under."""
    engine = house.server.engine()
    try:
        with engine.connect() as connection:
            used = {column: used_versions(connection, column) for column in LOADED}
    finally:
        engine.dispose()
    for column, versions in used.items():
        for version in versions:
            named(version, LOADED[column])


def known_of(house: RunContext, as_of: date, shape: Shape) -> dict[str, Known]:
    """What differs from the release of the day that this one is laid over, by view."""
    base = house.moment(as_of).base
    if base is None:
        return {}
    return known_tables(house.engine, house.lake, house.lake.root / "release", base, as_of, shape)


def used_versions(connection: sa.Connection, column: str) -> list[str]:
    """The versions that releases were made under."""
    used = connection.execute(
        sa.text(f"select distinct {column} from ops.release where {column} is not null order by 1")
    )
    return [str(version) for version in used.scalars()]


def attach_unversioned(
    house: RunContext, contracts: Sequence[Contract], as_of: date
) -> dict[str, str]:
    """Engine tables of what goes along with a release:
    validation results, quarantine, review queue, and the vault's part.
    """
    engine = house.engine
    house.make(["review_candidate"], house.moment(as_of))
    for table in (
        "person",
        "review_queue",
        "valid_rural_revitalisation__members",
        "matched_rural_revitalisation__households",
    ):
        house.use(table, as_of)
    for contract in contracts:
        if contract.records == ASSIGNMENTS:
            house.use(f"matched_{contract.table}", as_of)
        if contract.is_pseudonymous:
            house.use(f"valid_{contract.table}", as_of)
            house.use(f"matched_{contract.table}", as_of)
    engine.view(
        "vault_person_source",
        "select p.member_id, p.person_key, p.household_id, m.id_number, m.name from person as p "
        "join valid_rural_revitalisation__members as m using (member_id)",
    )
    engine.view("respelt", "select former_id, queue_id from question where former_id <> queue_id")
    engine.table("rule_result", RULE_RESULT)
    quarantined = []
    for contract in contracts:
        ledger = house.lake.read_note("ledger", contract.table, as_of) or {
            "rules": [],
            "batch_id": None,
        }
        for rule in ledger["rules"]:
            engine.execute(
                "insert into rule_result values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [contract.department, contract.records, ledger["batch_id"], rule["rule"],
                 rule["severity"], rule["passed"], rule["could_run"], rule["element_count"],
                 rule["unexpected_count"]],
            )  # fmt: skip
        stored = house.lake.relation("quarantine", contract.table, as_of)
        identity = "true" if contract.record_key.is_identity else "false"
        quarantined.append(
            f"select '{contract.department}' as department, '{contract.records}' as records, *"
            f" exclude (_row, record_key), _row as row_number, case when not {identity} then"
            f" record_key end as record_key from {stored}"
        )
    engine.view("quarantined", " union all by name ".join(quarantined))
    return {
        "person": "vault_person_source",
        "validation_result": "rule_result",
        "quarantine": "quarantined",
        "quarantine_row": "quarantined",
        "review_queue": "review_queue",
        "queue_candidate": "review_candidate",
        "respelt": "respelt",
        "record_number": build_record_numbers(engine, contracts, house.settings.pseudonym_key),
        "officer": build_officers(engine, contracts),
        **of_contradictions(house, as_of),
    }


def of_contradictions(house: RunContext, as_of: date) -> dict[str, str]:
    """What of the contradictions goes along: other ids of theirs, and what ended after a list."""
    house.engine.from_arrow("contradiction_alias", house.aliases(as_of))
    extras = {"contradiction_alias": "contradiction_alias"}
    if house.lake.version(*layer_and_folder("stopped_after_listing"), as_of) is not None:
        extras["stopped_after_listing"] = house.use("stopped_after_listing", as_of)
    return extras


RULE_RESULT = """
select null::varchar as department, null::varchar as records, null::varchar as batch_id,
    null::varchar as rule, null::varchar as severity,
    null::boolean as passed, null::boolean as could_run, null::bigint as element_count,
    null::bigint as unexpected_count
where false
"""


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The one asset that publishes."""

    spec = dg.AssetSpec(
        "release",
        deps=[*PUBLISHED, "linkage_quality", "review_queue", "stopped_after_listing"],
        partitions_def=DAILY,
        group_name="release",
        owners=["team:yihu"],
        kinds={"postgres"},
        tags={"layer": "release"},
        description=(
            "The release of the day: written, audited, made current in one transaction; readers see"
            " the old one or the new one. A day that is older than the current release is computed"
            " in the lake and observed here, never made current."
        ),
        # the nightly run begins at 02:30; a release of last night is there when the officers come
        freshness_policy=dg.FreshnessPolicy.cron(
            "0 6 * * *", lower_bound_delta=timedelta(hours=4), timezone="Asia/Shanghai"
        ),
        metadata={
            "dagster/code_references": code_references(
                {"publication": ROOT / "warehouse" / "publication" / "publish.py"}
            )
        },
        skippable=True,
    )
    audit = dg.AssetCheckSpec(
        "audit",
        asset="release",
        description="What is published is whole, sound and holds no ID number.",
    )

    @dg.multi_asset(
        name="release",
        specs=[spec],
        check_specs=[audit],
        can_subset=True,
        retry_policy=TO_THE_SERVER,
    )
    def release(
        context: dg.AssetExecutionContext, house: RunContext
    ) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
        as_of = date.fromisoformat(context.partition_key)
        house.begin_day(as_of)
        first = county_known_from(house.lake)
        if first is not None and as_of < first:
            said = f"published nowhere: the register was first read for {first}"
            context.log.info(f"{as_of} is {said}")
            yield dg.AssetObservation(
                "release", partition=context.partition_key, metadata={"is": said}
            )
            return
        house.settle_day(as_of)
        moment = house.moment(as_of)
        shape = shape_of(moment.layout, moment.catalogue)
        # rows go to PostgreSQL from one process, whatever computed them
        house = house.reading
        tables = published_in(shape)
        for table in tables:
            house.use(table, as_of)
        engine = house.server.engine()
        try:
            upgrade(engine, house.server.passwords)
        finally:
            engine.dispose()
        source = RunSource(
            run_id=context.run.run_id,
            code_version=code_version(),
            rule_version=moment.rules.version,
            is_provisional=as_of >= today(),
            following_version=moment.following.version,
            further_version=moment.further.version,
            shape=shape,
        )
        try:
            refuse_edited_rules(house)
            published = publish(
                house.engine,
                house.server.url,
                as_of,
                {table: table for table in tables},
                source,
                house.lake.root / "release",
                extras=attach_unversioned(house, contracts, as_of),
                register="matched_rural_revitalisation__households",
                known=known_of(house, as_of, shape),
            )
        except AuditFailed as failed:
            context.log.error(str(failed))
            house.lake.write_note(
                *HELD_BACK,
                as_of,
                {"run_id": context.run.run_id, "gates": list(failed.gates)},
            )
            raise failure(failed) from None
        except YihuError as error:
            raise failure(error, f"release {as_of}") from None
        note_seal(house.settings.home, published.access_seal)
        if published.release_id is not None:
            house.lake.write_note(*MADE_OF, as_of, made_of(house.lake, as_of, published.release_id))
        house.lake.remove_note(*HELD_BACK, as_of)
        house.lake.remove_note(*WITHDRAWN, as_of)
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in published.seconds.items())
        context.log.info(f"{sum(published.seconds.values()):6.1f} s  {published.message} ({steps})")
        facts = {
            "dagster/row_count": sum(published.counts.values()),
            "release_id": published.release_id,
            "is_current": published.is_current,
            "checksum": published.checksum,
            "layout": shape.layout,
            "changed": dict(published.changed),
            "seconds": {step: round(seconds, 3) for step, seconds in published.seconds.items()},
        }
        if not published.is_current:
            # freshness and overview speak of the release that readers see
            yield dg.AssetObservation("release", partition=context.partition_key, metadata=facts)
            return
        passed = dg.AssetCheckResult(
            check_name="audit", passed=True, metadata={"checksum": published.checksum}
        )
        yield dg.MaterializeResult("release", metadata=facts, check_results=[passed])

    return [release]
