"""`make try`: what it says, that nobody is named in it, that it keeps nothing, and when it exits
with 1.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from expectations import gx_plain
from expectations.contract import Contract, load_contracts, read_contract
from expectations.engine import literal
from expectations.landing import land
from expectations.rules import row_rules
from expectations.suites import batch_views, gx_on
from pipelines.dry_run.export import write_rows
from pipelines.dry_run.input_files import files_of, read_input_files
from pipelines.dry_run.report import report
from pipelines.dry_run.run import DryRun, dry_run
from resources.engines.duckdb import Engine
from resources.settings import ROOT, Settings
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, contract_of
from tests.trying.cases import CASES, WORKBOOKS, Case, read_csv

CANLIAN = WORKBOOKS / "01-canlian-huamingce" / "持证残疾人花名册2026年11月.xlsx"
EMPLOYMENT = WORKBOOKS / "06-renshe-wugong-sanzhen"


def case_of(records: str) -> Case:
    return next(case for case in CASES if case.records == records)


def run(
    settings: Settings, *arguments: str, make: bool = False
) -> subprocess.CompletedProcess[str]:
    """The command as the Makefile calls it, or through make."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("YIHU_", "MAKE"))
    }
    command = (
        ["make", "-s", *arguments] if make else [sys.executable, "-m", "pipelines", *arguments]
    )
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**clean, "YIHU_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )


def tree(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_it_says_what_came_of_the_file_and_keeps_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    run(
        settings, "try", "--file", "nothing.csv", "--records", "certificates"
    )  # the home's secrets are made
    before = tree(settings.home)
    out = tmp_path / "out"
    contract = str(case_of("certificates").contract)
    done = run(settings, "try", "--file", str(CANLIAN), "--contract", contract, "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "read      残疾人证号 (certificate_no), 姓名 (name), 残疾类别 (category)",
        "unknown   序号, 乡镇, 村（社区）, 性别, 民族, 监护人姓名, 与残疾人关系, 备注",
        (
            "持证残疾人花名册2026年11月.xlsx, 持证残疾人花名册: blank 97; footer 99; title 1-2;"
            " total 98"
        ),
        "rows: 92, good 88, set aside 4",
        "codes:level: 1 rows (持证残疾人花名册2026年11月.xlsx, 持证残疾人花名册: 63)",
        "unknown words of level (残疾等级): '五级' (1)",
        "upon nothing: 88 new, 0 changed, 0 unchanged",
    ):
        assert line in done.stdout, line
    assert tree(settings.home) == before
    assert sorted(path.name for path in out.iterdir()) == ["aside.csv", "rows.csv"]
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.records)
def test_nobody_is_named_in_what_it_prints(case: Case, samples: Path, settings: Settings) -> None:
    contract = read_contract(case.contract)
    with dry_run(
        settings, contract, read_input_files(contract, files_of(case.files(samples)), settings)
    ) as made:
        printed = "".join("".join(report(made)).split())
    identities = {field.name for field in contract.fields if field.is_identity} | {
        "学生姓名",
        "身份证号",
    }
    people = [row[name] for row in case.truth(samples) for name in identities & row.keys()]
    assert len(people) >= 60
    assert [
        someone for someone in people if len(someone) > 2 and "".join(someone.split()) in printed
    ] == []


def test_a_workbook_that_a_run_would_reject_is_exit_1_and_says_why(
    settings: Settings, tmp_path: Path
) -> None:
    contract = tmp_path / "retrofits.odcs.yaml"
    text = case_of("retrofits").contract.read_text(encoding="utf-8")
    contract.write_text(
        text.replace("maxBadShare\n  value: 0.1", "maxBadShare\n  value: 0.05"), encoding="utf-8"
    )
    done = run(
        settings,
        "try",
        "--file",
        case_of("retrofits").files(tmp_path),
        "--contract",
        str(contract),
        "--out",
        str(tmp_path / "o"),
    )
    assert done.returncode == 1
    assert "a run would reject it:" in done.stdout
    assert "2 of 37 rows are bad" in done.stdout
    assert len(read_csv(tmp_path / "o" / "rows.csv")) == 35


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "none of the first"),
        ("", "header"),
        ("残疾人证号,姓名,残疾类别,残疾等级,发证日期,有效期至\n1,2,3,4,5,6\n", "证件状态"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(
    content: str, said: str, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "certificates_20261101.csv"
    path.write_bytes(content.encode("gb18030"))
    done = run(settings, "try", "--file", str(path), "--records", "certificates")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "nowhere.xlsx", "--records", "certificates"], "no file of that name"),
        (["--file", str(CANLIAN), "--records", "certificats"], "use one of"),
        (["--file", str(CANLIAN)], "RECORDS=certificates, or CONTRACT="),
        (["--file", str(CANLIAN), "--contract", "nowhere.yaml"], "no such file"),
    ],
)
def test_a_mistake_in_the_command_is_one_clear_line(
    arguments: list[str], said: str, settings: Settings
) -> None:
    done = run(settings, "try", *arguments)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (
        1,
        True,
        False,
    ), done.stderr


def test_a_folder_gives_its_parts_and_says_what_a_run_waits_for(
    settings: Settings, tmp_path: Path
) -> None:
    contract = str(case_of("employment").contract)
    whole = run(settings, "try", "--file", str(EMPLOYMENT), "--contract", contract)
    assert "rows: 123, good 117, set aside 6" in whole.stdout
    assert "not read: aside.csv" in whole.stdout
    some = tmp_path / "some"
    some.mkdir()
    for path in sorted(EMPLOYMENT.glob("*10月.csv"))[:2]:
        shutil.copy2(path, some)
    part = run(settings, "try", "--file", str(some / "*.csv"), "--contract", contract)
    assert "a run would wait: it is not all, 2 of 3 parts came" in part.stdout
    assert "rows: 123" not in part.stdout
    assert re.search(r"rows: [0-9]+, good [0-9]+, set aside 4", part.stdout)


def test_any_path_is_text_for_make_and_for_the_shell(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / """a 'quoted' "folder" with $HOME `date` $(shell touch made) & (brackets)"""
    folder.mkdir()
    shutil.copy(CANLIAN, folder)
    path, out = folder / CANLIAN.name, folder / "out; put"
    done = run(
        settings,
        "try",
        f"FILE={path}",
        f"CONTRACT={case_of('certificates').contract}",
        f"OUT={out}",
        make=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "rows.csv").exists()
    assert not (ROOT / "made").exists()


def test_rules_count_as_great_expectations_counts_them(settings: Settings, engine: Engine) -> None:
    case = case_of("certificates")
    contract = read_contract(case.contract)
    with dry_run(
        settings, contract, read_input_files(contract, files_of(str(CANLIAN)), settings)
    ) as made:
        manifest = __import__("json").loads((made.batch / "manifest.json").read_text())
        rows = land(engine, contract, made.batch, manifest).rows_path
        views = batch_views(engine, contract, f"read_parquet({literal(rows)})")
        queries = {rule.name: rule.query for rule in row_rules(contract)} | {
            "broken": "select nothing from {batch}"
        }
        plain = gx_plain.run_suite(engine, views.records, "suite", queries)
        checked = gx_on("duckdb").run_suite(engine, views.records, "suite", queries)
    said = {rule: (outcome.could_run, outcome.unexpected_count) for rule, outcome in plain.items()}
    assert said == {
        rule: (outcome.could_run, outcome.unexpected_count) for rule, outcome in checked.items()
    }
    assert sum(count for _, count in said.values()) >= 3


def test_no_cell_of_what_is_written_is_a_formula(settings: Settings, tmp_path: Path) -> None:
    """Whoever asked opens it in a spreadsheet; cells and columns are what an office wrote."""
    contract = next(contract for contract in load_contracts() if contract.records == "certificates")
    columns = [field.physical_name for field in contract.fields]
    good = ["61092119800100001042", "王芳", "4", "2", "2020-01-01", "", "1", "2026-10-01 08:00:00"]
    called = ["=1+1", "@SUM(A1)", "+cmd|'/c calc'!A0", "-2+3+cmd|x!A0", " =HYPERLINK(1)", "＝1"]
    path = tmp_path / "certificates_20261101.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "=EVIL(1)"])
        for n, name in enumerate(("王芳", "-5", *called)):
            writer.writerow([f"610921198001{n:05d}042", name, *good[2:], name])
            writer.writerow([f"610921198002{n:05d}042", name, "没有", *good[3:], name])
    out = tmp_path / "out"
    with dry_run(
        settings, contract, read_input_files(contract, files_of(str(path)), settings)
    ) as made:
        written = write_rows(made, out)
    for file in written:
        cells = [cell for line in csv.reader(file.open(encoding="utf-8")) for cell in line]
        quoted = {cell.strip("' ") for cell in cells if cell.startswith("'")}
        assert {name.strip() for name in called} <= quoted, file.name
        assert "-5" in cells
        assert not [cell for cell in cells if cell.strip()[:1] in ("=", "＝", "@", "+")]


def test_ten_thousand_rows_are_tried_within_ten_seconds(settings: Settings, tmp_path: Path) -> None:
    contract = next(contract for contract in load_contracts() if contract.records == "certificates")
    path = tmp_path / "certificates_20261101.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.physical_name for field in contract.fields])
        for n in range(10_000):
            writer.writerow(
                [
                    f"6109211980010{n:05d}{n % 9}42",
                    "王芳",
                    "4",
                    "2",
                    "2020-01-01",
                    "",
                    "1",
                    "2026-10-01 08:00:00",
                ]
            )
    before = os.times()
    done = run(settings, "try", "--file", str(path), "--records", "certificates")
    spent = os.times()
    assert "rows: 10,000" in done.stdout, done.stdout + done.stderr
    # what it took of a core: other processes may have the clock's
    assert (
        spent.children_user + spent.children_system - before.children_user - before.children_system
        < 10
    )


def test_a_file_that_is_none_of_the_named_parts_is_left_out_as_a_run_leaves_it(
    settings: Settings, tmp_path: Path
) -> None:
    contract = replace(
        next(c for c in load_contracts() if c.records == "certificates"),
        server={"form": "file", "files": "{part}持证{YYYY}年{M}月", "parts": ["石门镇", "青溪镇"]},
    )
    for town in ("石门镇", "青溪镇", "外县"):
        (tmp_path / f"{town}持证2026年11月.csv").write_text("x\n", encoding="utf-8")
    handed = read_input_files(contract, files_of(str(tmp_path)), settings)
    assert [file.part for file in handed.delivery.files] == ["石门镇", "青溪镇"]
    assert handed.passed_over == ("外县持证2026年11月.csv",)
    assert not any("it is not all" in line for line in handed.waits)


FIRST, SECOND, THIRD = ROWS


def tried(
    settings: Settings, contract: Contract, folder: Path
) -> tuple[DryRun, list[list[str]], list[list[str]]]:
    """A trial with what it wrote, without the headings."""
    handed = read_input_files(contract, files_of(str(folder)), settings)
    with dry_run(settings, contract, handed) as made:
        paths = write_rows(made, folder / "out")
        good, aside = (list(csv.reader(path.open(encoding="utf-8"))) for path in paths)
    return made, good[1:], aside[1:]


def test_every_row_that_is_set_aside_is_in_aside_csv(settings: Settings, tmp_path: Path) -> None:
    """Also those that share a key with each other, or with a good one."""
    contract = contract_of(tmp_path, HOUSES, files="台账*")
    wide = "ＦＷ000001"
    rows = [FIRST, [wide, *FIRST[1:]], SECOND, [*SECOND[:4], "长期", *SECOND[5:]], THIRD]
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "台账.csv").write_bytes(books.text([HEADER, *rows]))
    made, good, aside = tried(settings, contract, folder)
    assert [(row[2], row[3], row[4]) for row in aside] == [
        ("2", "house_id", "folded_key:house_id"),
        ("3", "house_id", "folded_key:house_id"),
        ("5", "appraised_on", "type:appraised_on"),
    ]
    assert [row[0] for row in good] == ["FW000002", "FW000003"]
    assert made.ledger["today"]["quarantined"] == 3


def test_of_a_key_that_came_twice_the_row_that_a_run_puts_in_force_is_written(
    settings: Settings, tmp_path: Path
) -> None:
    contract = contract_of(tmp_path, HOUSES, files="台账*")
    other = [*FIRST[:5], "9.5", FIRST[6]]
    folder = tmp_path / "given"
    folder.mkdir()
    for rows in ([FIRST, other, SECOND], [other, FIRST, SECOND], [FIRST, FIRST, SECOND]):
        (folder / "台账.csv").write_bytes(books.text([HEADER, *rows]))
        handed = read_input_files(contract, files_of(str(folder)), settings)
        with dry_run(settings, contract, handed) as made:
            path, _ = write_rows(made, tmp_path / "out")
            in_force = made.engine.rows(
                f"select house_id, area::varchar from valid_{contract.table}"
            )
        written = [(row["house_id"], row["area"]) for row in read_csv(path)]
        assert sorted(written) == sorted(in_force)
        assert len(written) == 2


@pytest.mark.parametrize("form", ["xlsx", "zip"])
def test_parts_that_one_file_holds_are_read_as_a_run_reads_them(
    form: str, settings: Settings, tmp_path: Path
) -> None:
    contract = contract_of(tmp_path, HOUSES, files="台账{YYYY}年{M}月*", parts=2)
    folder = tmp_path / "given"
    folder.mkdir()
    tables: dict[str, books.Rows] = {"青溪镇": [HEADER, FIRST], "石门镇": [HEADER, SECOND]}
    members = {f"{name}.csv": books.text(rows) for name, rows in tables.items()}
    whole = books.xlsx(tables) if form == "xlsx" else books.archive(members)
    path = folder / f"台账2026年10月.{form}"
    path.write_bytes(whole)
    os.utime(path, (1e9, 1e9))
    made, good, _ = tried(settings, contract, folder)
    assert (made.given.waits, sorted(row[0] for row in good)) == ((), ["FW000001", "FW000002"])
    part: dict[str, books.Rows] = {"青溪镇": [HEADER, FIRST]}
    path.write_bytes(
        books.xlsx(part) if form == "xlsx" else books.archive({"青溪镇.csv": members["青溪镇.csv"]})
    )
    os.utime(path, (1e9, 1e9))
    made, good, _ = tried(settings, contract, folder)
    assert [line for line in made.given.waits if "is not all: 1 of 2 parts came" in line]
    assert [row[0] for row in good] == ["FW000001"]
