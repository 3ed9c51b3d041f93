"""The rules of what departments say against each other as data:
`rules/crosscheck-<effective_from>.yaml`, checked when read.

Belongs here: who is asked, what, with which numbers. Not here: the conditions
(`models/crosscheck`), what follows from them (`crosscheck`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from expectations.contract import contract_for
from warehouse.dated_rules import hash_of, in_force
from warehouse.model import MODELS
from warehouse.scoring_rules import Strict, read_rule_file

Count = Annotated[int, Field(ge=0, le=10_000)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Number = int | Decimal | tuple[str, ...]


class Flood(Strict):
    """From when on a rule lists too many."""

    list_share: Share
    times_median: Count
    rows: Count
    days: Count
    """So many of the last days on which it ran make the median."""
    runs: Count
    """Fewer than these make none."""


class Rest(Strict):
    """From when on a rule that is seldom right rests, and how much of it is asked all the same."""

    verdicts: Count
    floor: Share
    rows_a_month: Count


class Sample(Strict):
    """How many of each rule's rows are drawn by lot."""

    rows_a_quarter: Count


class Rule(Strict):
    """One rule: a question to a named office."""

    name: Word
    chinese: Text
    family: Word
    owner: Word
    """The department that is asked first."""
    other: Word | None = None
    """The department whose records speak against it."""
    subject: Literal["household", "member"]
    sources: Annotated[tuple[Word, ...], Field(min_length=1)]
    after_days: Count
    weight: Count
    numbers: dict[Word, Number] = Field(default_factory=dict)
    question: Text

    @field_validator("sources")
    @classmethod
    def _known(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for records in sources:
            contract_for(records, with_drafts=True)
        return sources

    @property
    def reads_more(self) -> bool:
        """Whether it reads more than households and cases."""
        return not set(self.sources) <= {"households", "cases"}

    @property
    def version(self) -> str:
        """Another one where what it finds may differ: its words and weight are no part."""
        words = {"question": "-", "chinese": "-", "weight": 0}
        return hash_of(self.model_copy(update=words))[:8]


class Crosscheck(Strict):
    """A whole `crosscheck-<date>.yaml`."""

    effective_from: date
    flood: Flood
    rest: Rest
    sample: Sample
    stopped_days: Count
    rules: dict[str, Rule]

    @field_validator("rules")
    @classmethod
    def _has_its_model(cls, rules: dict[str, Rule]) -> dict[str, Rule]:
        there = {path.stem for path in (MODELS / "crosscheck").glob("X[0-9][0-9].sql")}
        if strange := sorted(set(rules) - there):
            raise ValueError(
                f"no model makes {', '.join(strange)}: see warehouse/models/crosscheck"
            )
        return rules

    @property
    def hash(self) -> str:
        return hash_of(self)

    @property
    def families(self) -> tuple[str, ...]:
        """In the order of their first rules."""
        return tuple(dict.fromkeys(rule.family for _, rule in sorted(self.rules.items())))


def read_crosscheck(path: Path) -> Crosscheck:
    """The rules in `path`. Raises `RuleError` naming file, line and reason."""
    return read_rule_file(path, Crosscheck)[0]


@lru_cache(maxsize=64)
def load_crosscheck(as_of: date) -> Crosscheck:
    """The rules in force on `as_of`. Raises `RuleError`."""
    return in_force("crosscheck", as_of, read_crosscheck)
