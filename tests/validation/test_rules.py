"""Every rule of every contract fires on its own bad row, on that row only, under its own name."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import CONTRACTS, Contract, ContractError, load_contracts, read_contract
from expectations.landing import land
from expectations.rules import row_rules
from expectations.suites import RuleResult
from expectations.validation import Verdict, validate
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, write_batch
from tests.validation.rows import AMOUNTS, breaking, good_row, id_number
from warehouse.asof import make_valid

DAY = date(2026, 11, 2)


@pytest.fixture(params=load_contracts(), ids=lambda contract: contract.records)
def contract(request: pytest.FixtureRequest) -> Contract:
    return request.param


def judge(
    engine: Engine, lake: Lake, contract: Contract, rows: list[Row], **manifest: Any
) -> Verdict:
    batch = lake.table("raw", contract.table) / write_batch(lake, contract, DAY, rows, **manifest)
    note = json.loads((batch / "manifest.json").read_text())
    landed = land(engine, contract, batch, note)
    return validate(engine, contract, note, landed.rows_path, drifts=landed.drifts)


def others(engine: Engine) -> None:
    """What references between record types look at."""
    engine.table("valid_rural_revitalisation__households", "select 'households-1' as household_id")
    engine.table("valid_housing__dwellings", "select 'dwellings-1' as dwelling_id")
    amounts = ", ".join(
        f"{5 if name in ('total_fee', 'in_scope', 'fund_paid') else 0}::decimal(16,2) as {name}"
        for name in AMOUNTS
    )
    engine.table(
        "valid_health_insurance__settlements",
        f"select 'settlements-before' as settlement_id, {amounts}, timestamp '2026-10-01 00:00:00'"
        " as updated_at",
    )


def failed(verdict: Verdict) -> dict[str, RuleResult]:
    return {result.rule: result for result in verdict.rules if not result.passed}


def test_good_rows_break_nothing(engine: Engine, lake: Lake, contract: Contract) -> None:
    others(engine)
    verdict = judge(engine, lake, contract, [good_row(contract, n) for n in range(30)])
    assert failed(verdict) == {}
    assert not verdict.is_rejected
    assert verdict.bad_count == 0
    assert len(verdict.rules) > len(contract.fields)


def test_each_critical_rule_finds_its_row(engine: Engine, lake: Lake, contract: Contract) -> None:
    others(engine)
    rules = [rule for rule in row_rules(contract) if rule.severity == "critical"]
    bad = [
        good_row(contract, n) | breaking(contract, rule) for n, rule in enumerate(rules, start=1)
    ]
    rows = [
        row
        for n, row in enumerate(bad, start=1)
        for row in (row, *(good_row(contract, n * 20 + i) for i in range(100, 104)))
    ]
    verdict = judge(engine, lake, contract, rows)
    found = dict(engine.rows(f'select _row, rules from "{verdict.bad_rows}"'))
    assert found == {5 * n + 1: [rule.name] for n, rule in enumerate(rules)}
    counts = {result.rule: result.unexpected_count for result in verdict.rules}
    assert {name: counts[name] for name in counts if name in {rule.name for rule in rules}} == {
        rule.name: 1 for rule in rules
    }
    assert list(verdict.reasons) == [
        reason for reason in verdict.reasons if "rows are bad" in reason
    ]


def test_each_warning_counts_its_row_and_keeps_it(
    engine: Engine, lake: Lake, contract: Contract
) -> None:
    others(engine)
    rules = [rule for rule in row_rules(contract) if rule.severity == "warning"]
    rows = [
        good_row(contract, n) | breaking(contract, rule) for n, rule in enumerate(rules, start=1)
    ]
    verdict = judge(engine, lake, contract, rows + [good_row(contract, n) for n in range(100, 110)])
    assert {name: result.unexpected_count for name, result in failed(verdict).items()} == {
        rule.name: 1 for rule in rules
    }
    assert verdict.bad_count == 0
    assert not verdict.is_rejected


def test_withdrawals_are_checked_for_key_and_time_only(
    engine: Engine, lake: Lake, contract: Contract
) -> None:
    others(engine)
    key, updated = contract.record_key.name, contract.by_role("updated_at").name
    nothing = dict.fromkeys(field.name for field in contract.fields)
    withdrawal = nothing | {
        "_op": "D",
        key: good_row(contract, 1)[key],
        updated: "2026-11-01T09:00:00+08:00",
    }
    verdict = judge(
        engine,
        lake,
        contract,
        [withdrawal, withdrawal | {key: None}, withdrawal | {updated: "yesterday"}],
    )
    assert dict(engine.rows(f'select _row, rules from "{verdict.bad_rows}"')) == {
        2: [f"required:{key}"],
        3: [f"type:{updated}"],
    }


def test_no_identity_in_results(engine: Engine, lake: Lake, contract: Contract) -> None:
    others(engine)
    rules = row_rules(contract)
    rows = [
        good_row(contract, n) | breaking(contract, rule) for n, rule in enumerate(rules, start=1)
    ]
    said = repr(judge(engine, lake, contract, rows))
    assert not [n for n in range(1, len(rows) + 1) if id_number(n) in said]
    assert "某某" not in said


def settlements() -> Contract:
    return next(c for c in load_contracts() if c.records == "settlements")


def test_a_reversal_negates_what_it_names(engine: Engine, lake: Lake) -> None:
    others(engine)
    contract = settlements()
    original = good_row(contract, 1) | {
        "total_fee": "10.00",
        "in_scope": "10.00",
        "fund_paid": "10.00",
    }
    minus = dict.fromkeys(("total_fee", "in_scope", "fund_paid"), "-10.00")
    later = original | {"settlement_id": "s2", "updated_at": "2026-11-01T10:00:00+08:00"}
    again = {"settlement_id": "s3", "reverses_id": "s2", "updated_at": "2026-11-01T11:00:00+08:00"}
    rows = [
        original,
        good_row(contract, 2)
        | minus
        | {
            "settlement_id": "s2",
            "reverses_id": "settlements-1",
            "updated_at": "2026-11-01T10:00:00+08:00",
        },
        original | again,
        good_row(contract, 3)
        | minus
        | {
            "reverses_id": "settlements-1",
            "updated_at": "2026-11-01T09:30:00+08:00",
            "fund_paid": "-9.99",
        },
        good_row(contract, 4)
        | minus
        | {
            "reverses_id": "settlements-1",
            "updated_at": "2026-10-01T09:00:00+08:00",
            "fund_paid": "-9.99",
        },
    ]
    assert later["settlement_id"] == "s2"
    verdict = judge(engine, lake, contract, rows)
    found = dict(engine.rows(f'select _row, rules from "{verdict.bad_rows}"'))
    assert found == {
        4: ["reversal:negates", "sum:total_fee_by_payer"],
        5: ["sum:total_fee_by_payer"],
    }


def broken_contract(tmp_path: Path, query: str) -> Contract:
    """temporary_aid with a rule of its own."""
    path = tmp_path / "civil_affairs" / "temporary_aid.odcs.yaml"
    path.parent.mkdir(parents=True)
    text = (CONTRACTS / "civil_affairs" / "temporary_aid.odcs.yaml").read_text()
    entry = f"""  - name: own:rule
    type: custom
    engine: greatExpectations
    severity: warning
    implementation:
      expectation_type: unexpected_rows_expectation
      kwargs:
        unexpected_rows_query: {query}
slaProperties:"""
    path.write_text(text.replace("slaProperties:", entry, 1))
    return read_contract(path)


def test_a_rule_that_cannot_run_is_said_and_blocks(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    contract = broken_contract(tmp_path, "select _row from {batch} where no_such_field > 1")
    write_batch(lake, contract, DAY, [good_row(contract, n) for n in range(5)])
    ledger = make_valid(engine, lake, contract, DAY)
    assert [rule["rule"] for rule in ledger["rules"] if not rule["could_run"]] == ["own:rule"]
    assert "own:rule could not run" in ledger["rejected"]["reasons"][0]
    assert (ledger["in_force"], ledger["state"]) == (0, "missing")


@pytest.mark.parametrize("query", ["select 1", "''"])
def test_a_rule_that_does_not_look_at_the_batch_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(ContractError, match="own:rule"):
        row_rules(broken_contract(tmp_path, query))


def test_a_full_delivery_without_rows_is_rejected(engine: Engine, lake: Lake) -> None:
    contract = settlements()
    verdict = judge(engine, lake, contract, [], form="file", delivery="full")
    assert verdict.is_rejected
    assert "no rows where a full delivery is due" in verdict.reasons[0]
    shutil.rmtree(lake.table("raw", contract.table))
    assert not judge(engine, lake, contract, [], since="2026-11-01T00:00:00+08:00").is_rejected


def test_a_total_other_than_announced_is_rejected(engine: Engine, lake: Lake) -> None:
    contract = settlements()
    verdict = judge(engine, lake, contract, [good_row(contract, 1)], total=2)
    assert verdict.reasons == (
        f"{contract.table}: 1 rows where another total was announced; read the day again",
    )


def test_a_volume_unlike_the_last_ones_warns(engine: Engine, lake: Lake) -> None:
    contract = settlements()
    batch = lake.table("raw", contract.table) / write_batch(
        lake, contract, DAY, [good_row(contract, n) for n in range(60)]
    )
    note = json.loads((batch / "manifest.json").read_text())
    rows = land(engine, contract, batch, note).rows_path
    for history, passes in (
        ([60.0, 70, 50], True),
        ([300.0, 310, 290], False),
        ([10.0, 9, 11], False),
        ([10.0], True),
    ):
        verdict = validate(engine, contract, note, rows, history)
        assert ("batch:volume" not in failed(verdict)) is passes
        assert not verdict.is_rejected


def test_there_is_something_to_prove() -> None:
    """The tests above are made from the contracts: were there none, or none with rules, they would
    prove nothing.
    """
    rules = {contract.records: row_rules(contract) for contract in load_contracts()}
    assert len(rules) == 18
    assert sum(map(len, rules.values())) > 300
    kinds = {rule.name.partition(":")[0] for found in rules.values() for rule in found}
    assert kinds == {
        "type",
        "required",
        "codes",
        "id_structure",
        "range",
        "pattern",
        "order",
        "sum",
        "reversal",
        "reference",
        "consistency",
    }
    assert [rule.name for found in rules.values() for rule in found if rule.level != "row"] == []
