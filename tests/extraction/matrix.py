"""The fault matrix: each fault, in each form it applies to, and what comes of it.

Belongs here: the table that `test_matrix` proves and `docs/faults.md` shows (`python -m
tests.extraction.matrix` writes it there), and what the single tests of the readers saw. Not here:
the faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
BEGIN, END = (
    "<!-- fault matrix: python -m tests.extraction.matrix -->\n",
    "<!-- end of the fault matrix -->\n",
)

OUTCOMES = {
    "retried": "asked again, the batch is whole",
    "resumed": "asked again for the page reached, the batch is whole",
    "begun anew": "the window asked again from its first page, the batch is whole",
    "carried forward": "no batch, the failure recorded, the last good state stays",
    "left for next time": (
        "the file is not complete; an older one serves, or the last good state stays"
    ),
    "read": "no fault after all: a batch",
    "rejected": (
        "the batch is there; validation refuses it, a line per difference; the last good state"
        " stays"
    ),
}


@dataclass(frozen=True)
class Case:
    """One fault in one form."""

    form: str
    """`api`, `csv`, `xlsx` or `sql`."""
    fault: str
    cause: str
    """What the sandbox calls it."""
    outcome: str
    lasts: bool = True
    """False for one that passes by itself: it strikes once, half way."""

    def __str__(self) -> str:
        return f"{self.form} {self.fault}{'' if self.lasts else ', once'}"

    def line(self, outcome: str) -> str:
        return f"{self.form:<5} {self.fault + ('' if self.lasts else ', once'):<46} {outcome}"


def _api(fault: str, cause: str, once: str, always: str | None) -> tuple[Case, ...]:
    found = (Case("api", fault, cause, once, lasts=False),)
    return (*found, Case("api", fault, cause, always)) if always else found


TRANSIENT, PERMANENT, LATER = (
    "carried forward (transient)",
    "carried forward (permanent)",
    "left for next time",
)

MATRIX: tuple[Case, ...] = (
    *_api("401: signature or caller", "401", PERMANENT, PERMANENT),
    *_api("401: clock skew", "clock_skew", PERMANENT, PERMANENT),
    *_api("404", "404", PERMANENT, PERMANENT),
    *_api("429 with Retry-After", "429", "resumed", TRANSIENT),
    *_api("500", "500", "resumed", TRANSIENT),
    *_api("503", "503", "resumed", TRANSIENT),
    *_api("code ≠ 0 under HTTP 200", "code", "resumed", TRANSIENT),
    *_api("truncated body", "truncated", "resumed", TRANSIENT),
    *_api("connection reset", "reset", "resumed", TRANSIENT),
    *_api("slow drip", "slow", "resumed", TRANSIENT),
    *_api("silence in the midst of a body", "stalled", "resumed", TRANSIENT),
    *_api("repeated page", "repeated_page", "resumed", TRANSIENT),
    *_api("wrong total", "wrong_total", "begun anew", TRANSIENT),
    *_api("empty answer", "empty_answer", "begun anew", TRANSIENT),
    *_api("cursor lost half way", "cursor_lost", "begun anew", None),
    *_api("HTML login page", "html", "resumed", TRANSIENT),
    *(
        Case(form, fault, cause, outcome)
        for fault, cause, outcome, forms in (
            ("file growing: no checksum yet", "growing", LATER, ("csv", "xlsx")),
            ("wrong checksum", "wrong_checksum", LATER, ("csv", "xlsx")),
            ("wrong encoding", "wrong_encoding", PERMANENT, ("csv",)),
            ("missing sheet", "missing_sheet", PERMANENT, ("xlsx",)),
            ("merged cells", "merged_cells", PERMANENT, ("xlsx",)),
            ("changed header", "changed_header", "rejected", ("csv", "xlsx")),
            ("file cut short", "truncated_file", PERMANENT, ("csv", "xlsx")),
            ("empty file", "empty_file", PERMANENT, ("csv", "xlsx")),
        )
        for form in forms
    ),
    Case("sql", "database down", "down", TRANSIENT),
    Case("sql", "table missing", "missing_table", PERMANENT),
    Case("sql", "column missing", "missing_column", "rejected"),
    Case("sql", "column renamed", "renamed_column", "rejected"),
)

observed: dict[tuple[str, str], str] = {}
"""(form, fault) → outcome, as the readers' own tests saw it."""


def record(form: str, fault: str, outcome: str) -> None:
    assert outcome.split(" (")[0] in OUTCOMES, outcome
    observed[form, fault] = outcome


def table() -> str:
    """The matrix as `docs/faults.md` shows it: a row a fault, a column a form."""
    forms = ("api", "csv", "xlsx", "sql")
    lines = ["| fault | api | csv file | xlsx file | sql |", "|---|---|---|---|---|"]
    for fault in dict.fromkeys(case.fault for case in MATRIX):
        cells = []
        for form in forms:
            cases = [case for case in MATRIX if (case.fault, case.form) == (fault, form)]
            same = len({case.outcome for case in cases}) == 1
            told = [
                case.outcome if same else f"{'lasting' if case.lasts else 'once'}: {case.outcome}"
                for case in cases
            ]
            cells.append("; ".join(dict.fromkeys(told)))
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the matrix as it is now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
