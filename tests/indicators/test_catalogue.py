"""Catalogue and rules are the design's."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from warehouse.catalogue import (
    FILE,
    RULES,
    CatalogueError,
    Indicator,
    indicators_by_code,
    load_catalogue,
    load_indicators,
)
from warehouse.following_rules import load_following
from warehouse.scoring_rules import RuleError, load_candidate, load_rules

DAY = date(2026, 11, 19)


def _design_rows(design: Path) -> list[dict[str, str]]:
    with (design / "indicators.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_is_the_designs(design: Path) -> None:
    ours = [
        (
            i.code,
            i.name,
            i.chinese,
            i.group,
            i.domain or "",
            i.unit,
            " ".join(i.sources),
            i.definition,
        )
        for i in load_indicators()
    ]
    names = ("code", "name", "chinese", "group", "domain", "unit", "sources", "value")
    assert ours == [tuple(row[n] for n in names) for row in _design_rows(design)]


def _in_words(indicator: Indicator, when: str) -> str:
    """Our condition in the design's words."""
    words = {
        "value >= 2 * T": ">= 2T",
        "value >= 0.5 * T": ">= 0.5T",
        "previous_business_net > 0 and value <= 0.5 * previous_business_net": (
            "else previous_business_net > 0 and B16 <= half of it"
        ),
        "value >= 2 and days_since_visit <= 30": ">= 2 and visited within 30 days",
        "value > 10000": "self-pay > 10000",
        "B09 >= 2": "else B09 >= 2",
    }
    text = words.get(when) or when.removeprefix("value ")
    if indicator.unit in ("flag", "grade"):
        return text.removeprefix("= ")
    return re.sub(r"^= (\d+)$", r"\1", text) if indicator.code not in ("R21", "S11") else text


def test_the_points_are_the_designs(design: Path) -> None:
    rules = load_rules(DAY)
    catalogue = indicators_by_code()
    for row in _design_rows(design):
        if row["points"]:
            lines = rules.scoring.points[row["code"]]
            ours = "; ".join(
                f"{_in_words(catalogue[row['code']], x.when)}:"
                f" {x.points}{' hard' if x.hard else ''}"
                for x in lines
            )
            assert (row["code"], ours) == (row["code"], row["points"])


def test_columns_and_types() -> None:
    catalogue = indicators_by_code()
    assert catalogue["B01"].column == "b01_household_size"
    assert catalogue["S18"].column == "s18_measure_count"
    kinds = {
        code: catalogue[code].sql_type
        for code in ("B01", "B05", "B10", "B12", "B13", "B20", "R14", "R30")
    }
    assert kinds == {
        "B01": "integer",
        "B05": "decimal(12,4)",
        "B10": "varchar",
        "B12": "boolean",
        "B13": "decimal(10,2)",
        "B20": "decimal(16,2)",
        "R14": "varchar",
        "R30": "integer",
    }


LATER = date(2027, 3, 1)
R31 = (
    f'R31,{LATER},idle_count,闲散劳动力,risk,employment,persons,members,"active members neither'
    ' working nor in school"'
)
R30_AGAIN = (
    f"R30,{LATER},open_report,申报未结,risk,assistance,days,reports cases,age in days of the oldest"
    " open report"
)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue to which R31 came later, and in which R30 reads cases too from then on."""
    path = tmp_path / "indicators.csv"
    path.write_text(FILE.read_text(encoding="utf-8") + f"{R31}\n{R30_AGAIN}\n", encoding="utf-8")
    monkeypatch.setattr("warehouse.catalogue.FILE", path)
    return path


def test_a_day_has_the_catalogue_in_force_on_it(catalogue: Path) -> None:
    before, after = load_catalogue(LATER - timedelta(days=1)), load_catalogue(LATER)
    assert (len(before.indicators), len(after.indicators)) == (72, 73)
    assert [i.code for i in after.indicators] == sorted(i.code for i in after.indicators)
    assert (before.by_code["R30"].sources, after.by_code["R30"].sources) == (
        ("reports",),
        ("reports", "cases"),
    )
    assert (before.effective_from, after.effective_from) == (date(2021, 1, 1), LATER)
    assert before == load_catalogue(DAY, FILE)
    assert before.version == load_catalogue(before.effective_from).version != after.version
    assert len(load_indicators()) == 73
    with pytest.raises(CatalogueError, match="no indicator is in force on 2020-12-31"):
        load_catalogue(date(2020, 12, 31))


def test_words_are_no_part_of_the_version(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    worded, other = tmp_path / "worded.csv", tmp_path / "other.csv"
    worded.write_text(
        text.replace("家庭人口", "户规模").replace(
            ",members,active members\n", ",members,who is active\n", 1
        ),
        encoding="utf-8",
    )
    other.write_text(
        text.replace(
            "open_report,申报未结,risk,assistance,days,reports,",
            "open_report,申报未结,risk,assistance,days,cases,",
        ),
        encoding="utf-8",
    )
    assert (
        load_catalogue(DAY, worded).version
        == load_catalogue(DAY, FILE).version
        != load_catalogue(DAY, other).version
    )


def test_a_rule_file_is_held_against_the_catalogue_of_its_own_date(
    catalogue: Path, tmp_path: Path
) -> None:
    """The files of 2021 know nothing of R31 and stand; a file from its day on has to."""
    day = LATER - timedelta(days=1)
    assert load_rules(LATER).version == load_rules(day).version
    assert load_following(LATER).version == load_following(day).version
    for kind, load in (("scoring", load_rules), ("following", load_following)):
        folder = tmp_path / kind
        shutil.copytree(RULES, folder)
        newest = max(folder.glob(f"{kind}-*.yaml"))
        begins = re.compile(r"^effective_from: .*$", re.MULTILINE)
        text = begins.sub(f"effective_from: {LATER}", newest.read_text(encoding="utf-8"))
        (folder / f"{kind}-{LATER}.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(
            RuleError, match=rf"{kind}-{LATER}.yaml:[0-9]+: .*missing or unknown: R31"
        ):
            load(day, folder)
        added = (
            "  R31:\n    - {when: value >= 1, points: 4}\n  S01:\n" if kind == "scoring" else None
        )
        task = "    R31: {need: job, department: civil_affairs, task: find work}\n\n# 监测对象"
        text = text.replace("  S01:\n", added) if added else text.replace("\n# 监测对象", task)
        (folder / f"{kind}-{LATER}.yaml").write_text(text, encoding="utf-8")
        assert load(day, folder).version == load(day).version
        assert load(LATER, folder).version.startswith(f"{LATER}-")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (R31.replace("R31", "R301"), "R301 is no code of the group risk"),
        (R31.replace("R31", "S31"), "S31 is no code of the group risk"),
        (R31.replace("employment", "leisure"), "the domain of R31 is leisure"),
        (R31.replace(str(LATER), "from March on"), "no row of the catalogue"),
        (f"{R31}\n{R31}", "R31 has two rows from 2027-03-01"),
        (R30_AGAIN.replace("open_report", "late_report"), "R30 has another name than before"),
    ],
)
def test_a_broken_row_is_refused_with_its_line(tmp_path: Path, row: str, says: str) -> None:
    path = tmp_path / "indicators.csv"
    path.write_text(FILE.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=rf"indicators.csv:7[45]: .*{says}"):
        load_catalogue(LATER, path)


def test_a_candidate_is_held_against_the_catalogue_of_its_own_date(
    catalogue: Path, tmp_path: Path
) -> None:
    text = (
        max(RULES.glob("scoring-*.yaml"))
        .read_text(encoding="utf-8")
        .replace("  S01:\n", "  R31: []\n  S01:\n")
    )
    candidate = tmp_path / "candidate.yaml"
    for begins, says in ((LATER - timedelta(days=1), "missing or unknown: R31"), (LATER, "")):
        candidate.write_text(
            re.sub(r"(?m)^effective_from: .*$", f"effective_from: {begins}", text), encoding="utf-8"
        )
        if says:
            with pytest.raises(RuleError, match=says):
                load_candidate(candidate, DAY)
        else:
            assert load_candidate(candidate, DAY).scoring.points["R31"] == ()
