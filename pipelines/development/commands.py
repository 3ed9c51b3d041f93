"""Developer's tools: what a change is held against, and the pages that are made from the code.

Belongs here: these commands. Not here: what operators run (`commands`, `operations`, `acting_as`),
what a page says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import Namespace

from expectations.errors import FAILED, OK
from resources.settings import ROOT, Settings


def check(settings: Settings, arguments: Namespace) -> int:
    """Loads the definitions and resolves every job, schedule and asset of them."""
    import dagster as dg

    from pipelines.definitions import build_defs

    defs = build_defs()
    dg.Definitions.validate_loadable(defs)
    assets, jobs = len(list(defs.resolve_all_asset_specs())), len(list(defs.jobs or []))
    print(f"definitions: {assets} assets, {jobs} jobs, all load")
    return OK


def check_contracts(arguments: Namespace) -> int:
    """Names questions that stand in contracts, and codes that models compare and no contract
    has."""
    from expectations import questions
    from expectations.contract import CONTRACTS
    from pipelines.development import compared

    paths = sorted(str(path) for path in CONTRACTS.glob("*/*.odcs.yaml"))
    if questions.main(paths) or compared.main():
        return FAILED
    print(f"contracts: {len(paths)} are answered, and models compare with their codes only")
    return OK


def write_docs(arguments: Namespace) -> int:
    """Writes the pages that are made from declarations; a test fails where one is behind."""
    from pipelines.development import documented, tested
    from warehouse import dictionary, served_contract
    from warehouse.graph import drawn

    made = {
        **documented.pages(),
        dictionary.DICTIONARY: dictionary.dictionary(),
        drawn.PAGE: drawn.page(),
        tested.PAGE: tested.page(),
        served_contract.CONTRACT: served_contract.served_contract(),
    }
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return OK


def read_lineage(arguments: Namespace) -> int:
    """Reads the column lineage anew out of the models."""
    from pipelines.development import lineage

    return lineage.main()


DATACONTRACT = "datacontract-cli[postgres]==1.2.8"
"""Runs in an environment of its own: what it needs for PostgreSQL wants an older SQLGlot."""


def test_served(settings: Settings, arguments: Namespace) -> int:
    """Holds the served views against their data contract, as their reader sees them."""
    from resources.own_logins import ensure_own_login
    from resources.server import warehouse_server
    from warehouse.served_contract import CONTRACT

    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        ensure_own_login(server, "yihu_reader")
        url = server.url_of("yihu_reader")
        found = {
            "USERNAME": url.username,
            "PASSWORD": url.password,
            "HOST": url.host or url.query.get("host"),
            "PORT": url.port or 5432,
            "DATABASE": url.database,
        }
        named = {f"DATACONTRACT_POSTGRES_{name}": str(value) for name, value in found.items()}
        done = subprocess.run(
            [uv, "tool", "run", "--from", DATACONTRACT, "datacontract", "test", str(CONTRACT)],
            env={**os.environ, **named},
            check=False,
        )
    return done.returncode


def bench(arguments: Namespace) -> int:
    """Runs the benchmarks, which stand beside the house, as a process of their own."""
    folder = ["--folder", arguments.folder] if arguments.folder else []
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--scale", arguments.scale, *folder],
        cwd=ROOT,
        check=False,
    )
    return done.returncode
