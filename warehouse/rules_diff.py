"""A day scored under two sets of rules: who would turn red or green, and why.

Belongs here: making both and comparing them. Not here: what a lamp is (`scoring`, `models/flags`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from warehouse.catalogue import load_catalogue
from warehouse.graph.moment import Moment
from warehouse.graph.runner import Runner
from warehouse.layouts import NEWEST
from warehouse.model import render
from warehouse.scoring_rules import Rules


@dataclass(frozen=True)
class LevelChange:
    """A household whose level differs under candidate rules."""

    household_id: str
    from_level: str
    to_level: str
    from_score: Decimal
    to_score: Decimal
    changes: tuple[str, ...]
    """What makes the difference, e.g.

    `R01 20.00 -> 16.00`; empty where only levels, caps or limits differ.
    """


@dataclass(frozen=True)
class ScoreMoves:
    """How many scores differ, whether the level does or not, and by how much at most."""

    up: int
    down: int
    most_up: Decimal
    most_down: Decimal

    def text(self) -> str:
        if not self.up + self.down:
            return "no score moves"
        parts = [f"{self.up} up (at most {self.most_up:+})"] if self.up else []
        parts += [f"{self.down} down (at most {self.most_down:+})"] if self.down else []
        scores = "score moves" if self.up + self.down == 1 else "scores move"
        return f"{self.up + self.down} {scores}: {', '.join(parts)}"


@dataclass(frozen=True)
class RulesDiff:
    """A day scored under two sets of rules."""

    as_of: date
    layout: str
    """The day's own: both sides are made in it."""
    brought: tuple[str, ...]
    """Codes of indicators that the day's catalogue does not have yet and the candidate's has."""
    before: str
    """Rule version in force."""
    after: str
    """Rule version of the candidate."""
    counts: dict[tuple[str, str], int]
    """Households by level under the one and under the other."""
    scores: ScoreMoves
    changed: tuple[LevelChange, ...]

    def text(self, at_most: int = 50) -> str:
        """What `make rules-diff` prints."""
        lines = [f"{self.as_of}: rules in force {self.before}, candidate {self.after}"]
        lines += (
            [f"the day is of layout {self.layout}, and both are made in it"]
            if self.layout != NEWEST
            else []
        )
        lines += (
            [f"the candidate's catalogue has {', '.join(self.brought)} besides"]
            if self.brought
            else []
        )
        lines.append(self.scores.text())
        lines += [
            f"{count:>8} {a} -> {b}" for (a, b), count in sorted(self.counts.items()) if a != b
        ]
        lines += ["nobody changes level"] if not self.changed else []
        for c in self.changed[:at_most]:
            why = "; ".join(c.changes) or "levels, caps or limits"
            lines.append(
                f"{c.household_id}: {c.from_level} {c.from_score} -> {c.to_level} {c.to_score}:"
                f" {why}"
            )
        if len(self.changed) > at_most:
            lines.append(f"… and {len(self.changed) - at_most} more")
        return "\n".join(lines)


MOVES = """
with difference as (
    select a.score - b.score as moved
    from diff_flag_before as b inner join diff_flag_after as a using (household_id)
)
select count(*) filter (where moved > 0), count(*) filter (where moved < 0),
    coalesce(max(moved) filter (where moved > 0), 0),
    coalesce(min(moved) filter (where moved < 0), 0)
from difference
"""


def rules_diff(runner: Runner, moment: Moment, candidate: Rules) -> RulesDiff:
    """Scores a day under its rules and under `candidate`: who would turn red or green, and why.
    Publishes nothing.

    A candidate that begins later is scored with the catalogue of its own day. Leaves the
    candidate's tables on the engine: use one that is thrown away.
    """
    engine = runner.engine
    catalogue = max(
        moment.catalogue,
        load_catalogue(candidate.scoring.effective_from),
        key=lambda found: found.effective_from,
    )
    for name, scored in (
        ("before", moment),
        ("after", replace(moment, rules=candidate, catalogue=catalogue)),
    ):
        runner.make(("household_indicator", "warning_flag", "scored_point"), scored)
        engine.table(
            f"diff_flag_{name}", "select household_id, area_code, level, score from warning_flag"
        )
        engine.table(
            f"diff_point_{name}", "select household_id, code, domain, points from scored_point"
        )
    rows = engine.rows(
        "select household_id, from_level, to_level, from_score, to_score, changes from"
        f" ({render('flags/rules_diff')}) order by to_level = 'red' desc, from_level = 'red' desc,"
        " to_score desc, household_id"
    )
    counts = engine.rows(
        "select b.level, a.level, count(*) from diff_flag_before as b inner join diff_flag_after as"
        " a using (household_id) group by 1, 2"
    )
    return RulesDiff(
        as_of=moment.as_of,
        layout=moment.layout,
        brought=tuple(sorted(catalogue.by_code.keys() - moment.catalogue.by_code.keys())),
        before=moment.rules.version,
        after=candidate.version,
        counts={(str(a), str(b)): int(n) for a, b, n in counts},
        scores=ScoreMoves(*engine.rows(MOVES)[0]),
        changed=tuple(
            LevelChange(h, a, b, x, y, tuple(changes)) for h, a, b, x, y, changes in rows
        ),
    )
