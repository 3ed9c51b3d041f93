"""The fault matrix in `docs/delivery.md` is the one that the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.extraction.test_api import LASTING, PASSING
from tests.extraction.test_files import UNUSABLE

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "delivery.md"


def test_every_fault_is_documented_with_its_outcome() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    tested = [f"| api | {name} | {outcome} |" for name, _, outcome in PASSING]
    tested += [f"| api | {name} | carried forward ({kind}) |" for name, _, kind, *_ in LASTING]
    tested += [f"| file | {name} | carried forward (permanent) |" for name, *_ in UNUSABLE]
    assert [line for line in tested if line not in text] == []
