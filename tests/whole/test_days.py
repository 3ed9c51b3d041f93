"""Days in a row, missed, run at once, replayed: the state at the end is the same, and so is the
release.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import pytest
import sqlalchemy as sa

from expectations.contract import contract_for, load_contracts
from sandbox.county import County
from tests.whole.conftest import RANGE, Ranged
from tests.whole.days import (
    Offices,
    backfill,
    closed,
    digests_of,
    in_force,
    ledger,
    merge_day,
    offices,
    only_raw,
    quarantined,
    releases,
)

pytestmark = pytest.mark.long

# weeks apart, so that three hundred households have something to tell: late, withdrawn, returned,
# corrected; D4 is a Sunday
D1, D2, D3, D4 = date(2026, 9, 10), date(2026, 10, 8), date(2026, 11, 5), date(2026, 11, 15)
GHOSTS = ("members", "serious_illnesses")
"""Record types of the front-end database; a row of each is deleted there after D3."""


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59, 999999))


@dataclass(frozen=True)
class Chain:
    """A home that ran D1 to D4, and the departments it read."""

    home: Path
    offices: Offices
    folder: Path

    def again(self, name: str, *days: date) -> Path:
        """Another home that runs only these days."""
        home = self.folder / name
        for day in days:
            bring(self.offices, day)
            merge_day(home, self.offices.settings, day)
        return home


def bring(departments: Offices, day: date) -> None:
    """As `bring_to`, with ghosts: rows that the department deletes between D3 and D4 without a
    word.
    """
    departments.bring_to(day)
    engine = sa.create_engine(departments.front)
    with engine.begin() as connection:
        for contract in map(contract_for, GHOSTS):
            key, updated = (
                contract.record_key.physical_name,
                contract.by_role("updated_at").physical_name,
            )
            connection.execute(sa.text(f"delete from {contract.table} where {key} = 'ghost'"))
            if day < D4:
                ghost = {key: "'ghost'", updated: "'2026-09-01 08:00:00.000000'"}
                values = ", ".join(
                    ghost.get(f.physical_name, f'"{f.physical_name}"') for f in contract.fields
                )
                connection.execute(
                    sa.text(
                        f"insert into {contract.table} select {values} from {contract.table} order"
                        f" by {key} limit 1"
                    )
                )
    engine.dispose()


@pytest.fixture(scope="module")
def chain(lively: County, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("days")
    with offices(lively, folder / "offices") as departments:
        made = Chain(folder / "chain", departments, folder)
        for day in (D1, D2, D3, D4):
            if day == D4:
                _one_row_less(departments)
            made.again("chain", day)
        yield made


def _one_row_less(departments: Offices) -> None:
    """A new full file of certificates, dated D4, that lacks the first row of the one before."""
    contract = contract_for("certificates")
    newest = max((departments.drop / contract.department).glob("certificates_*.csv"))
    lines = newest.read_bytes().split(b"\r\n")
    path = newest.with_name(f"certificates_{D4:%Y%m%d}.csv")
    path.write_bytes(b"\r\n".join([lines[0], *lines[2:]]))
    path.with_name(f"{path.name}.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    )


def test_nothing_was_rejected_or_failed(chain: Chain) -> None:
    for contract in load_contracts():
        for day in (D1, D2, D3, D4):
            note = ledger(chain.home, contract, day)
            assert (note["rejected"], note["failure"]) == (None, None), (contract.table, day)


def test_a_missed_day_is_caught_up(chain: Chain) -> None:
    home = chain.again("missed", D1, D2, D4)
    for contract in load_contracts():
        assert in_force(home, contract, D4) == in_force(chain.home, contract, D4), contract.table


def test_a_chain_of_increments_equals_one_full_pull(chain: Chain) -> None:
    home = chain.again("once", D4)
    beyond = 0
    for contract in load_contracts():
        once, increments = in_force(home, contract, D4), in_force(chain.home, contract, D4)
        missing = set(increments) - set(once)
        assert once == {key: row for key, row in increments.items() if key not in missing}, (
            contract.table
        )
        assert missing <= quarantined(home, contract, D4), contract.table
        assert len(missing) <= ledger(home, contract, D4)["no_good_version"], contract.table
        beyond += len(missing)
    assert beyond > 0  # the rates are such that there are some


def test_corrections_withdrawals_and_returns_land(chain: Chain) -> None:
    """Against what the county says: what the API and the files name as withdrawn is out, what came
    back is in.
    """
    county, gone, back, corrected = chain.offices.county, 0, 0, 0
    for contract in load_contracts():
        if contract.server.get("form") != "api":
            continue
        key = contract.record_key.physical_name
        rows = county.rows(contract.records, end_of(D4)).select([key, "_op", "_broken"]).to_pylist()
        now, before, first = (in_force(chain.home, contract, day) for day in (D4, D3, D1))
        withdrawn = {row[key] for row in rows if row["_op"] == "D"}
        sound = {row[key] for row in rows if row["_op"] == "U" and not row["_broken"]}
        assert not withdrawn & set(now), contract.table
        assert not sound - set(now) - quarantined(chain.home, contract, D4), contract.table
        gone += len(withdrawn & set(first))
        back += len([k for k in now if k in first and k not in before])
        corrected += sum(now[k] != row for k, row in first.items() if k in now)
    assert gone > 5
    assert back > 0
    assert corrected > 50


def test_a_deletion_in_a_front_end_database_is_found_on_sunday(chain: Chain) -> None:
    for records in GHOSTS:
        contract = contract_for(records)
        assert "ghost" in in_force(chain.home, contract, D3)
        assert "ghost" not in in_force(chain.home, contract, D4)
        assert ledger(chain.home, contract, D4)["withdrawn_keys"] >= 1


def test_a_full_file_withdraws_what_it_lacks(chain: Chain) -> None:
    contract = contract_for("certificates")
    before, now = (in_force(chain.home, contract, day) for day in (D3, D4))
    assert len(set(before) - set(now)) >= 1
    assert ledger(chain.home, contract, D4)["withdrawn_keys"] == len(set(before) - set(now))


def test_days_replayed_from_their_batches_have_the_same_bytes(chain: Chain) -> None:
    """The departments are switched off; also the day that a later one stands on is made anew."""
    home = chain.folder / "batches"
    only_raw(chain.home, home)
    for day in (D1, D2, D3, D4):
        merge_day(home, closed(home), day)
        kept = digests_of(chain.home, day, ("valid", "withdrawn", "quarantine"))
        assert digests_of(home, day, ("valid", "withdrawn", "quarantine")) == kept
        assert len(kept) >= 3 * len(load_contracts())
    for contract in load_contracts():
        assert ledger(home, contract, D4) == ledger(chain.home, contract, D4), contract.table


@pytest.fixture(scope="module")
def replayed(ranged: Ranged) -> Iterator[Path]:
    """A home with the batches of `ranged` and nothing else, its days run one by one, upward, with
    the departments switched off.
    """
    with tempfile.TemporaryDirectory(prefix="yihu-replayed-") as folder:
        home = Path(folder)
        only_raw(ranged.home, home)
        assert backfill(home, closed(home), RANGE) == []
        yield home


def test_days_at_once_equal_days_one_by_one_with_the_departments_switched_off(
    ranged: Ranged, replayed: Path
) -> None:
    """`make sync FROM=… TO=…` read the departments; a run a partition, as a backfill does it, had
    the batches alone.
    """
    assert [day for day, _ in ranged.releases] == list(RANGE)
    assert releases(replayed) == ranged.releases
    assert len({checksum for _, checksum in ranged.releases}) == len(RANGE)


@pytest.mark.parametrize("day", RANGE)
def test_a_day_replayed_gives_the_same_bytes(ranged: Ranged, replayed: Path, day: date) -> None:
    layers = ("valid", "withdrawn", "quarantine", "matched", "household", "flags")
    assert digests_of(replayed, day, layers) == digests_of(ranged.home, day, layers)
    assert len(digests_of(replayed, day, ("valid",))) >= len(load_contracts())
