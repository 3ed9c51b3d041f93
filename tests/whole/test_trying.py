"""`make try` and `make contract-diff` beside a county's state: what they say is what the lake says,
and the lake stays as it is.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from expectations.contract import CONTRACTS, load_contracts
from pipelines.dry_run.difference import newest_batch
from resources.lake import Lake
from resources.server import Server
from tests.whole.conftest import SECOND, Synced, ask, pipelines

pytestmark = pytest.mark.slow
CERTIFICATES = CONTRACTS / "disability_federation" / "certificates.odcs.yaml"


def everything(home: Path) -> dict[Path, tuple[int, int]]:
    """Every file of the lake, with its size and the time of its last change."""
    files = (path for path in (home / "lake").rglob("*") if path.is_file())
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def run(synced: Synced, *arguments: str) -> tuple[int, str]:
    done = pipelines(synced.home, *arguments, YIHU_AS_OF=SECOND.isoformat())
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_file_in_force_tried_again_changes_nothing(synced: Synced, server: Server) -> None:
    contract = next(contract for contract in load_contracts() if contract.records == "certificates")
    newest = newest_batch(Lake(synced.home / "lake"), contract.table)
    before = everything(synced.home)
    status, printed = run(
        synced,
        "try",
        "--file",
        str(newest.folder / newest.manifest.files[0]),
        "--records",
        "certificates",
    )
    in_force, linked = ask(
        server, "select in_force, linked from yihu.source_status where records = 'certificates'"
    )[0]
    assert status == 0, printed
    assert f"upon {SECOND}: 0 new, 0 changed, {in_force} unchanged" in printed
    assert f"linked {linked}, " in printed
    assert "no indicator would move" in printed
    assert everything(synced.home) == before
    assert list((synced.home / "tmp").iterdir()) == []


def test_an_edited_contract_shows_what_it_would_empty(synced: Synced, tmp_path: Path) -> None:
    """Without the codes of the severe levels no certificate is severe: R11 falls to 0 wherever it
    is not.
    """
    raw = yaml.safe_load(CERTIFICATES.read_text(encoding="utf-8"))
    level = next(field for field in raw["schema"][0]["properties"] if field["name"] == "level")
    codes = next(entry for entry in level["customProperties"] if entry["property"] == "codes")
    codes["value"] = [code for code in codes["value"] if code["code"] not in ("1", "2")]
    edited = tmp_path / "certificates.odcs.yaml"
    edited.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
    before = everything(synced.home)
    status, printed = run(synced, "contract-diff", "--contract", str(edited))
    assert status == 0, printed
    lake = Lake(synced.home / "lake")
    certificates = lake.relation("valid", "disability_federation__certificates", SECOND)
    indicators = lake.relation("household", "household_indicator", SECOND)
    severe = duckdb.execute(
        f"select count(*) from {certificates} where level in ('1', '2')"
    ).fetchone()
    households = duckdb.execute(
        f"select count(*) from {indicators} where r11_severe_disability_count > 0"
    ).fetchone()
    assert severe is not None
    assert households is not None
    assert re.search(rf"newly broken: codes:level, {severe[0]} rows", printed), printed
    assert re.search(
        rf"R11 severe_disability_count 重度残疾: {households[0]} households", printed
    ), printed
    assert "a run would reject it under the edited contract" in printed
    assert everything(synced.home) == before
