"""Records find the right household: precision and recall against the sandbox's truth, printed."""

from __future__ import annotations

import pytest

from bench.links import ENOUGH, county_of, links_of_home
from tests.conftest import Show
from tests.whole.conftest import HOUSEHOLDS, SECOND, Synced

pytestmark = pytest.mark.slow


def test_links_are_right_and_none_is_missed(synced: Synced, show: Show) -> None:
    linkage = links_of_home(synced.home, county_of(synced.home, HOUSEHOLDS), SECOND)
    show("links against the truth", str(linkage))
    assert linkage.precision >= ENOUGH
    assert linkage.recall >= ENOUGH
    assert {
        outcome for (_, expects, outcome, _) in linkage.kinds if expects == "unidentifiable"
    } <= {"unidentifiable"}
