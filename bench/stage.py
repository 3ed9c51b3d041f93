"""`python -m bench.stage --home … --as-of … matching lamps`: stages of one day by themselves, each
asset as a run would make it.

Belongs here: one process for the stages that are named, from what lies in the lake, and its clocks.
Not here: what is timed (`assets`), making inputs (`bench.province`), comparing (`bench.__main__`).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import sys
import time
import warnings
from datetime import date
from pathlib import Path

from bench.peak import peak_mb

STAGES = {
    "validation": ("valid",),
    "matching": ("person", "matched", "links", "source_status"),
    "lamps": ("households", "flags"),
    "following": ("following", "support", "crosscheck"),
    "release": ("release",),
}
"""What each stage makes: layers of the departments, or steps that make several tables."""


def run(home: Path, as_of: date, stages: list[str]) -> dict[str, object]:
    """Makes the stages' assets in this process; seconds, CPU seconds and peak memory are of the
    making alone, imports aside.
    """
    os.environ.update(YIHU_HOME=str(home), YIHU_AS_OF=str(as_of))
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    import dagster as dg

    from assets.catalogue import all_assets
    from expectations.contract import load_contracts
    from expectations.validation import preload
    from resources.runtime.context import RunContext

    if "validation" in stages:
        preload()
    contracts = load_contracts()
    wanted = {name for stage in stages for name in STAGES[stage]}
    every = all_assets(contracts)
    chosen = [asset for asset in every if _step(asset.op.name, wanted)]
    house = RunContext()
    started, began = time.monotonic(), _cpu()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            chosen,
            partition_key=as_of.isoformat(),
            resources={"house": house},
            instance=instance,
            raise_on_error=False,
        )
        problems = [str(event.step_key) for event in result.get_step_failure_events()] or (
            [] if result.success else ["the run"]
        )
    return {
        "stages": stages,
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(_cpu() - began, 2),
        "peak_mb": peak_mb(),
        "failed": problems,
        "failed_checks": [
            check.check_name
            for check in result.get_asset_check_evaluations()
            if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
        ],
    }


def _step(name: str, wanted: set[str]) -> bool:
    """Whether the step `name` (`matched_…`, `make_households`, `release`) belongs to what is
    wanted.
    """
    return name.removeprefix("make_") in wanted or name.partition("_")[0] in wanted & {
        "valid",
        "matched",
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stage", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("stages", nargs="+", choices=sorted(STAGES))
    asked = parser.parse_args()
    done = run(asked.home, asked.as_of, asked.stages)
    print(json.dumps(done), flush=True)
    return 1 if done["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
