"""Links against the sandbox's truth: precision, recall, and a table of error kind by outcome.

Recall is taken over the records whose number and name, as delivered, determine one registered
person under passes 1 to 4 (the truth says which); every other record must end in its right outcome.
The counting is `bench.links`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.links import ENOUGH, match_county
from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from sandbox.county import County
from sandbox.rates import ErrorRates
from tests.matching.county import AS_OF, KEY
from warehouse.graph.engine_inputs import EngineInputs
from warehouse.graph.moment import day_moment
from warehouse.graph.runner import Runner


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "seed"),
    [
        pytest.param(ErrorRates(), 1, id="as they are"),
        pytest.param(ErrorRates().doubled(), 2, id="doubled", marks=pytest.mark.long),
    ],
)
def test_links_against_the_truth(tmp_path: Path, rates: ErrorRates, seed: int) -> None:
    county = County(tmp_path / "county", households=600, seed=seed, rates=rates).make()
    engine = Engine(tmp_path / "engine")
    linkage = match_county(engine, county, AS_OF, KEY)
    print(linkage)
    assert linkage.precision >= ENOUGH, str(linkage)
    assert linkage.recall >= ENOUGH, str(linkage)
    assert len(linkage.misplaced) <= linkage.links * (1 - ENOUGH), str(linkage)
    for table in ("person", "person_key_map"):  # written out, as by a run that ends
        engine.table(f"{table}_written", f"select * from {table}")
        engine.view(table, f"select * from {table}_written")
    runner = Runner(engine, EngineInputs(engine, AS_OF), load_contracts(), KEY)
    assert runner.make(["review_queue"], day_moment(AS_OF))["review_queue"] > 0
    engine.close()
