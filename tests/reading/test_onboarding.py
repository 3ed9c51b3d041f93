"""A federation's list as a county sends it: title, words, typed dates, 长期, totals, signatures, no
update time; read by a contract alone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations.contract import Contract, contract_for, read_contract
from expectations.drafting.draft import draft_contract
from pipelines.dry_run.export import write_rows
from pipelines.dry_run.input_files import files_of, read_input_files
from pipelines.dry_run.run import dry_run
from pipelines.dry_run.sample import open_sample
from resources.settings import Settings
from tests.reading import books
from tests.reading.conftest import Reader

HANDED = Path(__file__).parent / "onboard-canlian"
"""The sheet as it was handed over, and its rows as they were written down from it."""
WORKBOOK = HANDED / "certificates_20261121.xlsx"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sheet() -> list[list[Any]]:
    return [
        list(row) for row in openpyxl.load_workbook(WORKBOOK).active.iter_rows(values_only=True)
    ]


FORMS = {
    "as it was handed over": ("xlsx", WORKBOOK.read_bytes),
    "saved by an older program": ("xls", lambda: books.xls(sheet())),
    "exported by a web system": ("xls", lambda: books.html(sheet())),
    "saved as text": ("csv", lambda: books.text(sheet())),
}


@pytest.fixture
def drafted(settings: Settings, tmp_path: Path) -> Contract:
    """The contract that is drafted from the sheet, its one question answered by leaving all as it
    is.
    """
    sample = open_sample(files_of(str(WORKBOOK)), settings, tmp_path)
    draft = draft_contract(
        sample, "disability_federation", "certificates", contract_for("certificates")
    )
    assert draft.questions == (
        "is every delivery the whole list, so that a row that it lacks is withdrawn?",
    )
    path = tmp_path / "certificates.odcs.yaml"
    kept = [line for line in draft.text.splitlines() if not line.lstrip().startswith("#")]
    path.write_text("\n".join(kept), encoding="utf-8")
    return read_contract(path)


@pytest.mark.parametrize("form", FORMS)
def test_the_list_is_read_by_a_contract_alone(
    form: str, drafted: Contract, settings: Settings, tmp_path: Path
) -> None:
    suffix, content = FORMS[form]
    path = tmp_path / f"certificates_20261121.{suffix}"
    path.write_bytes(content())
    with dry_run(
        settings, drafted, read_input_files(drafted, files_of(str(path)), settings)
    ) as made:
        assert made.reasons == []
        rows, aside = write_rows(made, tmp_path / "out")
    truth = rows_of(HANDED / "truth.csv")
    assert [{name: row[name] for name in truth[0]} for row in rows_of(rows)] == truth
    assert rows_of(aside) == []


def test_what_stands_round_the_list_is_set_aside_as_notes(drafted: Contract, read: Reader) -> None:
    found = read(drafted, WORKBOOK)
    assert (len(found.rows), found.marks) == (31, {})
    noted = {note["_line"]: note["kind"] for note in found.noted}
    assert noted == {1: "title", 2: "title", 35: "total", 36: "footer"}
