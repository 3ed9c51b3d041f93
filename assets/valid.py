"""`valid_<department>__<records>`: typed, checked, merged as of the day;
the rest set aside in quarantine.

Belongs here: one asset per contract and its checks. Not here: rules (contracts), how rows merge
(`warehouse.asof`).
"""

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from assets.described import contract_files, contract_schema, department_asset
from assets.lineage import lineage_metadata
from expectations.contract import Contract
from expectations.errors import YihuError
from expectations.rules import own_rules
from resources.runtime.context import RunContext
from resources.runtime.failures import failure
from warehouse.asof import make_valid
from warehouse.known import ledger_before
from warehouse.sources import unknown_before

CHECKS = {
    "suite_ran": "Every rule of the Great Expectations suite could run.",
    "critical_rules": (
        "No critical batch rule failed (else the extract is rejected: an error), and no row broke a"
        " row rule (those that did are in quarantine)."
    ),
    "warning_rules": (
        "Nothing has to be told: no rule of severity warning failed, no column came or went, the"
        " batch looks as usual."
    ),
    "conservation": (
        "received = accepted + unchanged + superseded + withdrawn + quarantined; in force = before"
        " + new - withdrawn."
    ),
    "fresh": "The newest accepted batch is no older than the contract allows.",
}

LEDGER_COLUMNS = [
    ("_batch_id", "text", "the batch that brought this version"),
    ("_arrived_on", "date", "the day on which this version arrived"),
    ("_quarantined_at", "timestamp", "updated_at of a newer version that sits in quarantine"),
    ("_is_conflict", "boolean", "two unlike versions of one key and updated_at were delivered"),
]


def valid_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset that validates one record type's batches of a day and merges their good rows."""
    described = department_asset(contract, "valid", {"duckdb", "parquet", "greatexpectations"})
    name = described["name"]

    more = {key: described[key] for key in described if key not in ("name", "op_tags")}
    spec = dg.AssetSpec(
        name,
        deps=[f"raw_{contract.table}", *referred_to(contract)],
        description=(
            f"{contract.department_name} {contract.name} at the end of the day: typed, checked, a"
            " row per record in force."
        ),
        metadata={
            "dagster/column_schema": contract_schema(contract, LEDGER_COLUMNS),
            "dagster/code_references": contract_files(contract, "valid", "valid"),
            **lineage_metadata(name),
        },
        **more,
    )

    @dg.multi_asset(
        name=name,
        specs=[spec],
        check_specs=[
            dg.AssetCheckSpec(check, asset=name, description=text) for check, text in CHECKS.items()
        ],
        # a day that brought nothing has nothing to check but how old the source is
        can_subset=True,
        op_tags=described["op_tags"],
    )
    def valid(
        context: dg.AssetExecutionContext, house: RunContext
    ) -> Iterator[dg.MaterializeResult]:
        started, as_of = time.monotonic(), date.fromisoformat(context.partition_key)
        house.begin_day(as_of)
        before = ledger_before(house.lake, contract.table, as_of)
        ledger = make_valid(house.engine, house.lake, contract, as_of)
        if contract.is_base_register and ledger["state"] == "missing":
            raise failure(NeverRead(contract, ledger))
        today = ledger["today"] or {}
        context.log.info(
            f"{time.monotonic() - started:6.1f} s  {ledger['in_force']:,} in force"
            + (
                f", {today['accepted']:,} accepted, {today['quarantined']:,} quarantined"
                if today
                else f", {ledger['state']}, carried forward"
            )
        )
        said = {"state": ledger["state"], "batch": ledger["batch_id"], **today}
        yield dg.MaterializeResult(
            asset_key=name,
            metadata={"dagster/row_count": ledger["in_force"], **said},
            check_results=valid_checks(ledger, before),
        )

    return valid


def referred_to(contract: Contract) -> list[str]:
    """The states besides its own that the contract's rules look up, of the same day where the run
    makes them too."""
    needs = {need for rule in own_rules(contract) for need in rule.needs}
    return sorted(needs - {f"valid_{contract.table}"})


class NeverRead(YihuError):
    """What stops a run: without the register there is no household to tie a record to.

    Says why there is none.
    """

    next_step = "have it delivered, then run the day again"

    def __init__(self, contract: Contract, ledger: dict[str, Any]) -> None:
        unread, rejected = ledger["failure"] or {}, ledger["rejected"] or {}
        why = unread.get("message") or "; ".join(rejected.get("reasons", [])) or "no extract came"
        said = (
            f"the base register's {contract.records} were never read, and nothing can be published"
        )
        super().__init__(f"{said} without them: {why}")


NO_BATCH: dict[str, Any] = {"today": None, "replayed": None}


def valid_checks(
    ledger: dict[str, Any], before: dict[str, Any] | None = None
) -> list[dg.AssetCheckResult]:
    """The check results that a day's ledger amounts to: counts per rule, never a value. Where the
    day brought nothing and `before`, the ledger before, had nothing to tell either: its age alone.
    """
    if before is not None and not has_to_tell(ledger) and not has_to_tell(before | NO_BATCH):
        return [_check("fresh", late(ledger)["state"] == "ok", [], late(ledger))]
    rules = ledger["rules"]
    broken = [rule for rule in rules if rule["could_run"] and not rule["passed"]]
    critical = [rule for rule in broken if rule["severity"] == "critical"]
    warned = [rule for rule in broken if rule["severity"] != "critical"]
    rejected, warnings = ledger.get("rejection") or ledger["rejected"], ledger.get("warnings") or []
    told = {
        "drift": "; ".join(ledger["drift"]) or None,
        "warnings": dg.MetadataValue.json(warnings) if warnings else None,
    }
    return [
        _check(
            "suite_ran",
            all(rule["could_run"] for rule in rules),
            [r for r in rules if not r["could_run"]],
        ),
        _check(
            "critical_rules",
            not critical and not rejected,
            critical,
            refused(rejected) if rejected else {},
            is_error=bool(rejected),
        ),
        _check("warning_rules", not warned and not warnings, warned, told),
        _check("conservation", conserved(ledger), [], ledger["today"] or {}),
        _check(
            "fresh",
            late(ledger)["state"] == "ok",
            [],
            late(ledger),
            is_error=unknown_before(ledger) is not None,
        ),
    ]


def has_to_tell(ledger: dict[str, Any]) -> bool:
    """Whether there is more to a source's day than how old it is."""
    told = ("rejection", "rejected", "warnings", "drift", "failure", "replayed")
    came = any((ledger["today"] or {}).values())
    return ledger["state"] == "incomplete" or came or any(ledger.get(name) for name in told)


def refused(rejected: dict[str, Any]) -> dict[str, Any]:
    """Which batch was rejected, of which day, by which rule, for how many rows, why,
    and what to do.
    """
    return {
        "rejected": "; ".join(rejected["reasons"]),
        "rejected_batch": rejected["batch_id"],
        "rejected_on": rejected.get("day"),
        "rule": rejected.get("rule"),
        "rows": rejected.get("rows"),
        "what now": rejected.get("next_step"),
    }


def late(ledger: dict[str, Any]) -> dict[str, Any]:
    """How old the source is; that it is late its age says,
    whatever else its state has to say first.
    """
    if first := unknown_before(ledger):
        said = f"nobody can tell this day any more: the source was first read for {first}"
        return {"age_days": ledger["age_days"], "state": ledger["state"], "what now": said}
    age, is_late = ledger["age_days"], ledger.get("is_late", ledger["state"] == "stale")
    return {"age_days": age, "state": "missing" if age is None else "stale" if is_late else "ok"}


def conserved(ledger: dict[str, Any]) -> bool:
    """Whether the day's counts add up, for the batch and for the state."""
    today = ledger["today"]
    parts = ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")
    batch = today is None or today["received"] == sum(today[part] for part in parts)
    state = (
        ledger["in_force"]
        == ledger["in_force_before"] + ledger["new_keys"] - ledger["withdrawn_keys"]
    )
    return bool(batch and state)


def _check(
    name: str,
    passed: bool,
    rules: list[dict[str, Any]],
    more: dict[str, Any] | None = None,
    *,
    is_error: bool = False,
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {
        key: value for key, value in (more or {}).items() if value is not None
    }
    if rules:
        # a number by itself is drawn over time
        metadata["rows_in_all"] = sum(int(rule["unexpected_count"] or 0) for rule in rules)
        metadata["rules"] = dg.TableMetadataValue(
            records=[
                dg.TableRecord(
                    {
                        "rule": r["rule"],
                        "severity": r["severity"],
                        "rows": r["unexpected_count"],
                        "of": r["element_count"],
                    }
                )
                for r in rules
            ],
            schema=dg.TableSchema(
                columns=[
                    dg.TableColumn("rule"),
                    dg.TableColumn("severity"),
                    dg.TableColumn("rows", "int"),
                    dg.TableColumn("of", "int"),
                ]
            ),
        )
    is_error = is_error or name in ("suite_ran", "conservation")
    severity = dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, metadata=metadata)
