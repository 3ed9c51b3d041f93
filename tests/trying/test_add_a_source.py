"""`docs/add-a-source.md` does what it says: its commands are run, its output is what they print,
and a run reads the source.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from expectations.questions import standing_questions
from resources.departments import Departments
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import ROOT, SHANGHAI, Settings
from tests.trying.cases import WORKBOOKS, read_csv
from warehouse.asof import make_valid

PAGE = ROOT / "docs" / "add-a-source.md"
OFFICE = WORKBOOKS / "04-shehui-jiuzhu-fenzhen"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)


@pytest.fixture
def page(settings: Settings, tmp_path: Path) -> list[tuple[str, str]]:
    """The commands of the page and what each of them printed, run one after the other; what it
    writes lies in `tmp_path`.
    """
    (tmp_path / "contracts" / "civil_affairs").mkdir(parents=True)
    run: list[tuple[str, str]] = []
    for kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "text":
            run.append(("", block))
            continue
        for command in block.splitlines():
            line = _elsewhere(command.partition("#")[0].strip(), tmp_path)
            if line in ("make contracts", "make definitions"):
                continue  # of the contracts in use: `make test` runs both
            done = subprocess.run(
                shlex.split(line),
                cwd=ROOT,
                env=_environment(settings),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, line + done.stdout + done.stderr
            run.append((line, done.stdout.replace(f"{tmp_path}/", "")))
            if "draft-contract" in line:
                _answer(tmp_path / "assistance.odcs.yaml")
    return run


def _elsewhere(command: str, folder: Path) -> str:
    """The command with what it writes in a folder of the test's own."""
    own = command.replace("expectations/contracts/", f"{folder}/contracts/")
    own = re.sub(r"(?<![/\w])assistance\.odcs\.yaml", f"{folder}/assistance.odcs.yaml", own)
    return own.replace("OUT=tried", f"OUT={folder}/tried")


def _environment(settings: Settings) -> dict[str, str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("YIHU_", "MAKE"))
    }
    return {**clean, "YIHU_HOME": str(settings.home)}


def _answer(contract: Path) -> None:
    """Every question of this draft is answered by leaving what it asks about: its line goes."""
    lines = contract.read_text(encoding="utf-8").splitlines(keepends=True)
    contract.write_text(
        "".join(line for line in lines if not line.lstrip().startswith("# ?")), encoding="utf-8"
    )


def test_the_page_leads_from_a_workbook_to_a_run(
    page: list[tuple[str, str]], settings: Settings, tmp_path: Path, engine: Engine
) -> None:
    printed = [output for command, output in page if command]
    for said in (block for command, block in page if not command):
        assert any(said in output for output in printed), said
    assert len(read_csv(tmp_path / "tried" / "rows.csv")) == 127
    installed = next(c for c in load_contracts(tmp_path / "contracts"))
    assert standing_questions(installed.path) == ()

    drop = tmp_path / "drop" / "civil_affairs"
    drop.mkdir(parents=True)
    for workbook in OFFICE.glob("*.xlsx"):
        delivered = Path(shutil.copy(workbook, drop))
        os.utime(delivered, (1_793_000_000, 1_793_000_000))  # it stood still for a while
    lake = Lake(tmp_path / "lake")
    departments = Departments(replace(settings, drop_dir=tmp_path / "drop", home=tmp_path), lake)
    day = departments.read_day(
        installed, date(2026, 11, 26), datetime(2026, 11, 27, 3, tzinfo=SHANGHAI)
    )
    assert (day.status, day.failure) == ("read", None)
    ledger = make_valid(engine, lake, installed, date(2026, 11, 26))
    assert (ledger["in_force"], ledger["today"]["quarantined"], ledger["rejected"]) == (
        127,
        3,
        None,
    )


def test_every_command_of_the_page_is_a_target_of_the_makefile() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"\bmake ([a-z-]+)", PAGE.read_text(encoding="utf-8")))
    assert named <= targets, named - targets
