"""Rule files: what is in force on a day, and broken ones refused with file, line and reason."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.catalogue import RULES
from warehouse.scoring_rules import RuleError, load_candidate, load_rules, named

DAY = date(2026, 11, 19)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    shutil.copytree(RULES, made)
    return made


def _edit(path: Path, old: str, new: str) -> int:
    """Replaces `old`, which stands once, and returns its line."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


BROKEN = [
    (
        "scoring-2021-01-01.yaml",
        "{when: value < 0.8, points: 20}",
        "{when: value < 0.8, points: -1}",
        "greater than 0",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value < 0.8, points: 20}",
        "{when: value < 0.8, points: many}",
        "valid decimal",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value < 0.8, points: 20}",
        "{when: value < 0.8, point: 20}",
        "Field required",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value < 0.8, points: 20}",
        "{when: value below 0.8, points: 20}",
        "cannot read 'value below 0.8'",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value < 0.8, points: 20}",
        "{when: value < T, points: 20}",
        "T is no number and no input of R01",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value = D, points: 24, hard: true}",
        "{when: value > D, points: 24}",
        "only = makes sense",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: value = D, points: 24, hard: true}",
        "{when: value = DD, points: 24}",
        "one letter or digit",
    ),
    (
        "scoring-2021-01-01.yaml",
        "{when: B09 >= 2, points: 5}",
        "{when: B08 >= 2, points: 5}",
        "B08 is no input of R19",
    ),
    ("scoring-2021-01-01.yaml", "  income: 26", "  incomes: 26", "one cap for each of"),
    (
        "scoring-2021-01-01.yaml",
        "  income: 26",
        "  income: 26\n  income: 27",
        "income stands here twice",
    ),
    ("scoring-2021-01-01.yaml", "hard_floor: 31", "hard_floor: 30", "hard_floor must lie above"),
    (
        "scoring-2021-01-01.yaml",
        "{red_above: 30, yellow_above: 15}",
        "{red_above: 30, yellow_above: 35}",
        "greater than yellow_above",
    ),
    (
        "scoring-2021-01-01.yaml",
        "effective_from: 2021-01-01",
        "effective_from: 2021-02-01",
        "name the file scoring-2021-02-01.yaml",
    ),
    ("scoring-2021-01-01.yaml", "score_limit: 100", "score_limit: [100", "no YAML"),
    ("scoring-2021-01-01.yaml", "score_limit: 100", "score_limits: 100", "Extra inputs"),
    (
        "scoring-2021-01-01.yaml",
        "effective_from: 2021-01-01",
        "effective_from: 2021-02-30",
        "day is out of range",
    ),
    (
        "scoring-2021-01-01.yaml",
        "score_limit: 100",
        "score_limit: 100\nthresholds: {chronic_days: 90}",
        "no formula has the threshold chronic_days: take it out, or write one of window_months",
    ),
    (
        "scoring-2021-01-01.yaml",
        "score_limit: 100",
        "score_limit: 100\nthresholds: {retrofit_days: 0}",
        "thresholds.retrofit_days: Input should be greater than or equal to 1",
    ),
    (
        "scoring-2021-01-01.yaml",
        "score_limit: 100",
        "score_limit: 100\nthresholds: {enrolment_grace_until: 02-30}",
        "'02-30' is no day of a year",
    ),
    ("thresholds-2021-01-01.yaml", "elder_age: 60", "elder_age: 65", "restore the file"),
    ("thresholds-2021-01-01.yaml", "  elder_age: 60", "", "thresholds.elder_age: Field required"),
    (
        "standards.yaml",
        '{area: "61", effective_from: 2021-01-01, yuan: 6000}',
        '{area: "6", effective_from: 2021-01-01, yuan: 6000}',
        "pattern",
    ),
    (
        "standards.yaml",
        '{area: "61", effective_from: 2024-03-14, yuan: 8800}',
        '{area: "61", effective_from: 2021-01-01, yuan: 1}',
        "two entries",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "reason"), BROKEN)
def test_a_broken_file_is_refused_with_line_and_reason(
    folder: Path, name: str, old: str, new: str, reason: str
) -> None:
    _edit(folder / name, old, new)
    with pytest.raises(RuleError) as refused:
        load_rules(DAY, folder)
    message = str(refused.value)
    assert reason in message
    assert re.search(rf"{re.escape(name)}:[1-9][0-9]*: ", message)


@pytest.mark.parametrize(
    "new", ["{when: value < 0.8, points: -1}", "{when: value below 0.8, points: 20}"]
)
def test_the_line_is_the_lines_own(folder: Path, new: str) -> None:
    path = folder / "scoring-2021-01-01.yaml"
    line = _edit(path, "{when: value < 0.8, points: 20}", new)
    with pytest.raises(RuleError, match=re.escape(f"{path}:{line}: points.R01.0.")):
        load_rules(DAY, folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "keys with values"),
        (b"- a", "keys with values"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
    ],
)
def test_what_is_no_rule_file_at_all_is_refused(folder: Path, content: bytes, reason: str) -> None:
    path = folder / "candidate.yaml"
    path.write_bytes(content)
    with pytest.raises(RuleError, match=rf"candidate.yaml:1: .*{reason}"):
        load_candidate(path, DAY, folder)


def test_the_line_of_a_day_that_is_none(folder: Path) -> None:
    line = _edit(
        folder / "standards.yaml",
        '"61", effective_from: 2024-03-14',
        '"61", effective_from: 2024-02-30',
    )
    with pytest.raises(RuleError, match=rf"standards.yaml:{line}: "):
        load_rules(DAY, folder)


def test_every_mistake_is_named_at_once(folder: Path) -> None:
    path = folder / "scoring-2021-01-01.yaml"
    _edit(path, "{when: value < 0.8, points: 20}", "{when: worth < 0.8, points: 20}")
    _edit(path, "{when: B09 >= 2, points: 5}", "{when: B08 >= 2, points: 5}")
    with pytest.raises(RuleError) as refused:
        load_rules(DAY, folder)
    assert len(refused.value.message.splitlines()) == 2


def test_what_is_in_force_on_a_day(folder: Path) -> None:
    before, after = load_rules(date(2024, 3, 13), folder), load_rules(date(2024, 3, 14), folder)
    assert dict(before.monitoring_line) == {"61": Decimal(6000)}
    assert dict(after.monitoring_line) == {"61": Decimal(8800)}
    assert before.version != after.version
    assert load_rules(DAY, folder).version == after.version
    with pytest.raises(RuleError, match="no scoring file is in force on 2020-12-31"):
        load_rules(date(2020, 12, 31), folder)


def test_a_later_version_leaves_earlier_days_alone(folder: Path) -> None:
    old = load_rules(date(2026, 11, 30), folder)
    text = (folder / "scoring-2021-01-01.yaml").read_text(encoding="utf-8")
    text = text.replace("effective_from: 2021-01-01", "effective_from: 2026-12-01").replace(
        "income: 26", "income: 30"
    )
    (folder / "scoring-2026-12-01.yaml").write_text(text, encoding="utf-8")
    (folder / "standards.yaml").write_text(
        (folder / "standards.yaml").read_text(encoding="utf-8")
        + '  - {area: "61", effective_from: 2027-01-01, yuan: 6000}\n',
        encoding="utf-8",
    )
    assert load_rules(date(2026, 11, 30), folder) == old
    new = load_rules(date(2026, 12, 1), folder)
    assert (new.scoring.caps["income"], new.effective_from) == (Decimal(30), date(2026, 12, 1))


def test_the_first_version_is_the_one_that_releases_used() -> None:
    """Settings that it did not name are no part of it."""
    assert load_rules(DAY).version == "2024-03-14-114e68ac"
    assert (load_rules(DAY).scoring.shells, load_rules(DAY).scoring.absence) == (
        "as_without_active_member",
        "plain",
    )


def test_the_version_of_2026_11_25_has_the_same_points_and_two_settings_more() -> None:
    before, after = load_rules(date(2026, 11, 24)), load_rules(date(2026, 11, 25))
    assert (after.scoring.shells, after.scoring.absence) == ("computed", "undoubted")
    assert after.effective_from == date(2026, 11, 25)
    assert after.version != before.version
    settings = {"effective_from", "shells", "absence"}
    assert after.scoring.model_dump(exclude=settings) == before.scoring.model_dump(exclude=settings)
    assert load_rules(date(2027, 6, 1)).version == after.version


@pytest.mark.parametrize("setting", ["shells: counted", "absence: doubted"])
def test_a_setting_that_nobody_knows_is_refused(folder: Path, setting: str) -> None:
    name = "scoring-2026-11-25.yaml"
    known = {"shells": "shells: computed", "absence": "absence: undoubted"}[
        setting.partition(":")[0]
    ]
    line = _edit(folder / name, f"\n{known}\n", f"\n{setting}\n") + 1
    with pytest.raises(
        RuleError, match=re.escape(f"{name}:{line}: {setting.partition(':')[0]}: Input should be")
    ):
        load_rules(DAY, folder)


def test_a_used_version_is_not_changed(folder: Path) -> None:
    used = load_rules(DAY, folder)
    assert named(used.version, lambda day: load_rules(day, folder)) == replace(
        used, as_of=used.effective_from
    )
    _edit(folder / "scoring-2021-01-01.yaml", "  income: 26", "  income: 25")
    with pytest.raises(RuleError, match="later effective_from"):
        named(used.version, lambda day: load_rules(day, folder))


def test_a_version_covers_the_thresholds_that_it_names(folder: Path) -> None:
    silent = load_rules(DAY, folder)
    assert silent.version == "2024-03-14-114e68ac", "the first version names none"
    path = folder / "candidate.yaml"
    text = (folder / "scoring-2021-01-01.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}\nthresholds: {{retrofit_days: 90}}\n", encoding="utf-8")
    named = load_candidate(path, DAY, folder)
    assert (silent.thresholds.retrofit_days, named.thresholds.retrofit_days) == (180, 90)
    assert named.thresholds.elder_age == silent.thresholds.elder_age
    assert named.version != silent.version


def test_a_second_file_of_thresholds_is_refused(folder: Path) -> None:
    first = folder / "thresholds-2021-01-01.yaml"
    shutil.copy(first, folder / "thresholds-2027-01-01.yaml")
    with pytest.raises(RuleError, match=r"thresholds-2027-01-01.yaml:1: no such file is read"):
        load_rules(DAY, folder)


def test_a_candidate_stands_in_for_the_file_in_force(folder: Path) -> None:
    path = folder / "candidate.yaml"
    path.write_text(
        (folder / "scoring-2021-01-01.yaml")
        .read_text(encoding="utf-8")
        .replace("income: 26", "income: 20"),
        encoding="utf-8",
    )
    assert load_candidate(path, DAY, folder).scoring.caps["income"] == 20
    with pytest.raises(RuleError, match="no such rule file"):
        load_candidate(folder / "absent.yaml", DAY, folder)
