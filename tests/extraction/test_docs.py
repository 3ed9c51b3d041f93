"""The fault tables in `docs/` are those that the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.extraction import matrix
from tests.extraction.test_api import LASTING, PASSING
from tests.extraction.test_files import UNUSABLE

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "delivery.md"


def test_every_fault_is_documented_with_its_outcome() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    tested = [f"| api | {name} | {outcome} |" for name, _, outcome in PASSING]
    tested += [f"| api | {name} | carried forward ({kind}) |" for name, _, kind, *_ in LASTING]
    tested += [f"| file | {name} | carried forward (permanent) |" for name, *_ in UNUSABLE]
    assert [line for line in tested if line not in text] == []


NAMED = (
    "401", "clock skew", "404", "429 with Retry-After", "500", "code ≠ 0", "truncated body",
    "reset", "slow drip", "repeated page",
    "wrong total", "empty answer", "cursor lost half way", "HTML login page", "file growing",
    "wrong checksum", "wrong encoding",
    "missing sheet", "merged cells", "changed header", "database down", "table missing",
    "column missing",
)  # fmt: skip
"""What every department's source does sooner or later."""


def test_the_matrix_on_the_page_is_the_one_that_is_proved() -> None:
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert matrix.page(text) == text, "run: python -m tests.extraction.matrix"


def test_the_matrix_has_every_fault() -> None:
    assert [name for name in NAMED if not any(name in case.fault for case in matrix.MATRIX)] == []
