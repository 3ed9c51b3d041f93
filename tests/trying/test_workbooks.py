"""What offices send is read by a contract alone: the rows are right, what is set aside is what must
be, nothing else.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.contract import read_contract
from pipelines.dry_run.export import write_rows
from pipelines.dry_run.input_files import files_of, read_input_files
from pipelines.dry_run.run import dry_run
from resources.settings import Settings
from tests.trying.cases import CASES, Case, compared, place, read_csv


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.records)
def test_rows_are_right_and_nothing_else_is_set_aside(
    case: Case, samples: Path, settings: Settings, tmp_path: Path
) -> None:
    contract = read_contract(case.contract)
    handed = read_input_files(contract, files_of(case.files(samples)), settings)
    with dry_run(settings, contract, handed) as made:
        assert made.reasons == []
        rows_file, aside_file = write_rows(made, tmp_path / "out")
    names = {field.physical_name: field.name for field in contract.fields}
    truth = case.truth(samples)
    columns = list(truth[0])
    assert compared(read_csv(rows_file), columns, names) == compared(truth, columns, {})
    expected = [(*where[:3], names.get(where[3], where[3])) for where in case.aside(samples)]
    assert [place(row) for row in read_csv(aside_file)] == expected


def test_the_names_of_the_files_fit_the_contracts(samples: Path, settings: Settings) -> None:
    for case in CASES:
        handed = read_input_files(
            read_contract(case.contract), files_of(case.files(samples)), settings
        )
        assert not [line for line in handed.waits if "name fits no pattern" in line], case.records
