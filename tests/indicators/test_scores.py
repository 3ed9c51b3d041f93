"""Scores against the sandbox's truth: a small county with its errors as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.scores import AS_OF, ENOUGH, Scores, measure
from sandbox.county import County
from tests.conftest import Show
from warehouse.catalogue import RULES

FIRST_VERSION = RULES / "scoring-2021-01-01.yaml"


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> list[Scores]:
    """Under the rules in force, and under those before."""
    home = Path(tmp_path_factory.mktemp("scores"))
    county = County(home / "county", 400, 5).make()
    return measure(home, county, AS_OF, rules=[FIRST_VERSION])


def test_scores_are_what_is_known_of_the_truth(scores: list[Scores], show: Show) -> None:
    now, before = scores
    shares = f"{now.share:.2%}, of what is known {now.share_of_known:.2%}"
    show("scores against the truth", f"now {shares}; before {before.share:.2%}")
    assert now.households == before.households > 380
    assert now.share_of_known >= ENOUGH
    assert now.share > before.share


def test_what_waits_with_its_household_makes_nobody_uninsured(scores: list[Scores]) -> None:
    """The difference that most scores had: an enrolment that is not linked and waits for the
    member.
    """
    now, before = scores

    def waiting(one: Scores) -> list[str]:
        return [
            unequal.household_id
            for unequal in one.unequal
            if any(told.startswith("R06") for told in unequal.points)
            and any(
                kind.startswith("enrolments") and "waits for the member" in kind
                for kind in unequal.kinds
            )
        ]

    assert len(waiting(before)) > len(waiting(now)) == 0
