"""The fault matrix: what was seen to happen, a line a fault and form.

Belongs here: the outcomes that the tests observed, for the printed table. Not here: the faults.
"""

from __future__ import annotations

OUTCOMES = {
    "retried": "asked again, the batch is whole",
    "resumed": "asked again for the page reached, the batch is whole",
    "begun anew": "the window asked again from its first page, the batch is whole",
    "carried forward": "no batch, the failure recorded, the last good state stays",
    "left for next time": "the file is not complete; an older one serves, or the last good state stays",
    "read": "no fault after all: a batch",
    "rejected": "the batch is there; validation refuses it",
}

observed: dict[tuple[str, str], str] = {}
"""(form, fault) → outcome."""


def record(form: str, fault: str, outcome: str) -> None:
    assert outcome.split(" (")[0] in OUTCOMES, outcome
    observed[form, fault] = outcome
