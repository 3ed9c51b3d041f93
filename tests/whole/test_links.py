"""Records find the right household: precision and recall against the sandbox's truth, printed."""

from __future__ import annotations

import pytest

from bench.links import county_of, end_of, links_of
from expectations.contract import load_contracts
from tests.conftest import Show
from tests.whole.conftest import HOUSEHOLDS, SECOND, Synced
from warehouse.matching import household_field

pytestmark = pytest.mark.slow


def test_links_are_right_and_none_is_missed(synced: Synced, show: Show) -> None:
    county = county_of(synced.home, HOUSEHOLDS)
    asked = [c.records for c in load_contracts() if household_field(c) is None and c.delivery == "incremental"]
    found = [links_of(synced.home, county, records, SECOND, end_of(SECOND)) for records in asked]
    linked, wrong = sum(f.linked for f in found), sum(f.wrong for f in found)
    determined, hit = sum(f.determined for f in found), sum(f.found for f in found)
    kinds: dict[tuple[str, str, str], int] = {}
    for links in found:
        for kind, expects, outcome, n in links.table:
            kinds[kind, expects, outcome] = kinds.get((kind, expects, outcome), 0) + n
    lines = [
        f"{linked:,} links, {wrong} wrong: precision {1 - wrong / linked:.6f}; recall {hit:,} of {determined:,} = {hit / determined:.6f}"
    ]
    lines += [f"{kind:<20} expected {expects:<14} is {outcome:<14} {n:>8,}" for (kind, expects, outcome), n in sorted(kinds.items())]
    lines += [f"! {line}" for links in found for line in links.listed]
    show("links against the truth", "\n".join(lines))
    assert 1 - wrong / linked >= 0.9996
    assert hit / determined >= 0.9996
    assert {outcome for (_, expects, outcome) in kinds if expects == "unidentifiable"} <= {"unidentifiable"}
