"""The rules of a record type: made from its fields,
and read from the `quality` section of its contract.

Belongs here: what each rule asks, as a query for the rows that break it; those for what landing
found in a batch. Not here: running them (`suites`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from expectations.contract import Contract, ContractError, Field
from expectations.engine import literal, name
from expectations.idnumber import certificate_misshapen, id_misshapen
from expectations.marks import is_key, severity

Severity = Literal["critical", "warning"]
ROW_QUERY = "unexpected_rows_expectation"


@dataclass(frozen=True)
class Rule:
    """One rule: a query over `{batch}` for what breaks it.

    A row rule selects the `_row` of each row that breaks it; of severity critical, it sends them to
    quarantine. A batch rule selects anything at all; of severity critical, it rejects the batch.
    """

    name: str
    severity: Severity
    level: Literal["row", "batch"]
    query: str
    on_withdrawals: bool = False
    """Whether rows with `_op` D are looked at too."""
    needs: tuple[str, ...] = ()
    """Engine views that the query reads besides the batch;
    where one is not there, the rule does not apply.
    """
    description: str = ""


def row_rules(contract: Contract) -> tuple[Rule, ...]:
    """Every row rule of a contract, in the order:
    operation, types, required, codes, ID structure, its own.
    """
    rules = [
        Rule(
            "codes:_op",
            "critical",
            "row",
            _rows("_op is null or _op not in ('U', 'D')"),
            on_withdrawals=True,
        )
    ]
    rules += [
        _type(contract, f)
        for f in contract.fields
        if f.derived is None and (f.type != "text" or f.written)
    ]
    rules += [
        _required(contract, f)
        for f in contract.fields
        if f.derived is None and contract.must_have(f)
    ]
    rules += [_codes(f) for f in contract.fields if f.codes]
    rules += [_id_structure(f) for f in contract.fields if f.holds_number]
    rules += [rule for rule in own_rules(contract) if rule.level == "row"]
    names = [rule.name for rule in rules]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ContractError(
            f"{contract.path.name}: rule {', '.join(twice)} is there twice",
            "give each a name of its own",
        )
    return tuple(rules)


def found_rules(
    contract: Contract, marks: Sequence[str], has_folded_keys: bool, day: date | None
) -> tuple[Rule, ...]:
    """The rules of a batch for what landing found in it,
    and for update times after the day that was read.

    `marks`: the `<rule>:<field>` of its damaged cells; `has_folded_keys`: whether a key was
    delivered in another spelling than it is kept in; `day`: the day read, null for a replay.
    """
    fields = {field.name: field for field in contract.fields}
    rules = [_marked(mark, fields.get(mark.partition(":")[2])) for mark in sorted(marks)]
    key = name(contract.record_key.name)
    if has_folded_keys:
        together = (
            f"select {key} from {{batch}} where {key} is not null group by {key} having"
            f" count(distinct coalesce(_key_text, {key})) > 1"
        )
        rules.append(
            Rule(
                f"folded_key:{contract.record_key.name}",
                "critical",
                "row",
                _rows(f"{key} in ({together})"),
                True,
            )
        )
    updated = contract.by_role("updated_at")
    if day is not None and updated.derived is None:
        latest = literal((day + timedelta(days=2)).isoformat() + " 00:00:00")
        late = f"{name(updated.name)} > cast({latest} as timestamp)"
        rules.append(Rule(f"future:{updated.name}", "critical", "row", _rows(late), True))
    return tuple(rules)


def _marked(mark: str, field: Field | None) -> Rule:
    held = (
        _rows(f"_marked is not null and list_contains(_marked, {literal(mark)})")
        .replace("{", "{{")
        .replace("}", "}}")
    )
    query = held.replace("{{batch}}", "{batch}")
    return Rule(
        mark,
        severity(mark.partition(":")[0], field),
        "row",
        query,
        field is not None and is_key(field),
    )


def own_rules(contract: Contract) -> tuple[Rule, ...]:
    """The rules of the contract's `quality` section.

    Raises:
        ContractError: an entry is no GX expectation that yihu can run;
            names the file and the entry.
    """
    return tuple(
        _own(contract, entry)
        for entry in contract.quality
        if entry.get("engine") == "greatExpectations"
    )


def batch_rules(
    contract: Contract,
    manifest: dict[str, Any],
    volumes: Sequence[float],
    rows_due: bool | None = None,
) -> tuple[Rule, ...]:
    """What must hold of the batch as a whole:
    rows where some are due, the announced total, unique keys, its volume.

    `rows_due`: whether a batch without rows is refused; by default a full delivery is, and the
    register's first read.
    """
    if rows_due is None:
        rows_due = manifest.get("delivery") == "full" or (
            manifest.get("since") is None and contract.is_base_register
        )
    key, updated = name(contract.record_key.name), name(contract.by_role("updated_at").name)
    rules = [
        _batch(
            "batch:unique_key",
            "warning",
            f"select {key} from {{batch}} where {key} is not null group by {key} having"
            " count(*) > 1",
            "keys that come more than once",
        )
    ]
    rules.append(
        _batch(
            "batch:unique_version",
            "warning",
            f"select {key} from {{batch}} where {key} is not null group by {key}, {updated} having"
            " count(*) > 1",
            "keys that come more than once with one update time",
        )
    )
    if rows_due:
        rules.append(_batch("batch:not_empty", "critical", _count_is("= 0")))
    total = (
        manifest.get("total") if manifest.get("total") is not None else manifest.get("row_count")
    )
    if total is not None:
        rules.append(_batch("batch:total", "critical", _count_is(f"<> {int(total)}")))
    usual = _median(volumes)
    if usual and len(volumes) >= 3:
        change = float(contract.properties.get("maxVolumeChange", 0.5))
        low, high = usual * (1 - change), usual * (1 + change) + 10
        usually = f"expected {low:.0f} to {high:.0f}"
        rules.append(
            _batch(
                "batch:volume",
                "warning",
                _count_is(f"not between {low:.0f} and {high:.0f}"),
                usually,
            )
        )
    rules += [rule for rule in own_rules(contract) if rule.level == "batch"]
    return tuple(rules)


def _own(contract: Contract, entry: dict[str, Any]) -> Rule:
    implementation = entry.get("implementation")
    label = str(entry.get("name", "?"))
    if not isinstance(implementation, dict) or implementation.get("expectation_type") != ROW_QUERY:
        raise ContractError(
            f"{contract.path.name}: quality {label}:",
            f"write implementation.expectation_type: {ROW_QUERY} with kwargs.unexpected_rows_query",
        )
    query = (implementation.get("kwargs") or {}).get("unexpected_rows_query")
    if not query or "{batch}" not in query:
        raise ContractError(
            f"{contract.path.name}: quality {label}:",
            "kwargs.unexpected_rows_query must select from {batch}",
        )
    meta = implementation.get("meta") or {}
    severity, level = entry.get("severity", "critical"), meta.get("level", "row")
    if severity not in ("critical", "warning") or level not in ("row", "batch"):
        raise ContractError(
            f"{contract.path.name}: quality {label}:",
            "severity is critical or warning, meta.level is row or batch",
        )
    return Rule(
        name=str(meta.get("rule", label)),
        severity=severity,
        level=level,
        query=" ".join(str(query).split()),
        needs=tuple(str(table) for table in meta.get("needs", ())),
        description=str(entry.get("description", "")),
    )


def _rows(condition: str) -> str:
    return f"select _row from {{batch}} where {condition}"


def _count_is(condition: str) -> str:
    return (
        "select rows_there from (select count(*) as rows_there from {batch}) as counted where"
        f" rows_there {condition}"
    )


def _batch(rule: str, severity: Severity, query: str, description: str = "") -> Rule:
    return Rule(rule, severity, "batch", query, on_withdrawals=True, description=description)


def _is_checked_on_withdrawal(contract: Contract, field: Field) -> bool:
    return field.role in ("record_key", "updated_at")


def _type(contract: Contract, field: Field) -> Rule:
    condition = f"array_length(_misfit) > 0 and list_contains(_misfit, {literal(field.name)})"
    return Rule(
        f"type:{field.name}",
        "critical",
        "row",
        _rows(condition),
        _is_checked_on_withdrawal(contract, field),
    )


def _required(contract: Contract, field: Field) -> Rule:
    condition = (
        f"{name(field.name)} is null and (_unread is null or not list_contains(_unread,"
        f" {literal(field.name)}))"
    )
    if field.type != "text" or field.written:
        condition += f" and not list_contains(_misfit, {literal(field.name)})"
    return Rule(
        f"required:{field.name}",
        "critical",
        "row",
        _rows(condition),
        _is_checked_on_withdrawal(contract, field),
    )


def _codes(field: Field) -> Rule:
    codes = ", ".join(literal(code.code) for code in field.codes)
    unknown = f"{name(field.name)} not in ({codes})"
    return Rule(
        f"codes:{field.name}",
        "critical" if field.codes_complete else "warning",
        "row",
        _rows(unknown),
    )


def _id_structure(field: Field) -> Rule:
    misshapen = certificate_misshapen if field.role == "record_key" else id_misshapen
    return Rule(
        f"id_structure:{field.name}",
        "warning",
        "row",
        _rows(misshapen(name(field.name)).replace("{", "{{").replace("}", "}}")),
    )


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
