"""A lamp in plain words, its history, and what a candidate rule file would change."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from resources.engines.duckdb import Engine
from tests.indicators.four import AS_OF, four_households
from tests.making import forget, make_lamps, remember, runner
from warehouse.catalogue import RULES
from warehouse.explain import Lamp, _condition, explain, history, read_lamp, recomputed
from warehouse.graph.moment import day_moment
from warehouse.rules_diff import rules_diff
from warehouse.scoring_rules import load_candidate, load_rules


def _lamp(engine: Engine, household: str, days: int = 0, gone: str | None = None) -> Lamp:
    day = AS_OF + timedelta(days=days)
    facts = four_households()
    if gone:
        facts.states[gone] = "missing"
        facts.rows[gone] = []
    facts.register(engine)
    make_lamps(engine, day)
    remember(engine, day)
    lamp = read_lamp(engine, household, day)
    assert lamp is not None
    return lamp


def test_a_lamp_in_words(engine: Engine) -> None:
    text = explain(_lamp(engine, "xu"))
    lines = text.splitlines()
    assert lines[0] == "Household xu on 2026-11-19: red, score 89.00, red since 2026-11-19."
    assert lines[1] == "户 xu，2026-11-19：红灯，89.00 分，自 2026-11-19 起为红灯。"
    assert (
        "R04 personal medical max 个人医疗负担: 22000.00 yuan 元; the rule 规则: at least 不低于 2"
        " × T (T = 10000.00)" in text
    )
    assert (
        "R16 house damage 因灾房损: 2, severe 严重损坏; the rule 规则: is 为 2, severe 严重损坏"
        in text
    )
    assert (
        "S18 measure count 有效帮扶: 2 measures 项; the rule 规则: at least 不低于 2 and 且 days"
        " since the last visit 距上次走访天数 at most 不高于 30" in text
    )
    assert "S08 all insured 全员参保: yes 是; the rule 规则: is 为 yes 是" in text
    assert "from 来源 emergency_management losses 应急" in text
    assert "-10.00  cap of income 收入封顶: 36.00 points 分, at most 不高于 26.00" in text
    assert "89.00   sum 合计" in text
    assert read_lamp(engine, "nobody", AS_OF) is None


def test_every_rule_can_be_said(engine: Engine) -> None:
    """No condition in force falls back to code."""
    for line in load_rules(AS_OF).lines:
        said = _condition(line.indicator.code, line.condition.threshold)
        assert not re.search(r"[<>=*_]|true|false|value|\band\b(?! 且)", said), said


def test_recomputed_in_words(engine: Engine) -> None:
    lamp = _lamp(engine, "near")
    assert recomputed(lamp, _lamp(engine, "near")).endswith("2026-11-19: the same 一致.")
    other = dataclasses.replace(lamp, level="red", score=Decimal("31.00"))
    assert "green 13.00, but red 31.00 was stored 不一致." in recomputed(other, lamp)
    assert "no lamp 无灯, but green 13.00" in recomputed(lamp, None)


def test_day_by_day(engine: Engine) -> None:
    forget(engine)
    lamps = [
        _lamp(engine, "jiang"),
        _lamp(engine, "jiang", 1, "settlements"),
        _lamp(engine, "jiang", 2),
    ]
    assert "Held at red" in explain(lamps[1])
    layouts = dict(zip([lamp.as_of for lamp in lamps], ("0.1.0", "0.1.0", "0.2.0"), strict=True))
    lines = history(lamps[::-1], layouts).splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert "held 保持" in lines[1]
    assert "-R04 (was +16.00)" in lines[1]
    assert "+R04 (+16.00)" in lines[2]
    assert ["layout" in line for line in lines] == [False, False, True]
    assert lines[2].endswith("layout 0.2.0")


def test_what_a_candidate_would_change(engine: Engine, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.yaml"
    text = (RULES / "scoring-2021-01-01.yaml").read_text(encoding="utf-8")
    text = text.replace("{when: value < 1, points: 16}", "{when: value < 1, points: 20}").replace(
        "yellow_above: 15", "yellow_above: 16"
    )
    candidate.write_text(text, encoding="utf-8")
    four_households().register(engine)
    rules = load_rules(AS_OF)
    making = runner(engine, AS_OF)
    diff = rules_diff(making, day_moment(AS_OF), load_candidate(candidate, AS_OF))
    assert diff.counts == {("red", "red"): 2, ("green", "green"): 1, ("green", "yellow"): 1}
    (near,) = diff.changed
    assert (near.household_id, near.to_level, near.to_score) == ("near", "yellow", Decimal(17))
    assert near.changes == ("R01 16.00 -> 20.00",)
    assert "near: green 13.00 -> yellow 17.00: R01 16.00 -> 20.00" in diff.text()
    assert "1 score moves: 1 up (at most +4.00)" in diff.text()
    same = rules_diff(making, day_moment(AS_OF), rules).text()
    assert same.endswith("no score moves\nnobody changes level")


def test_scores_that_move_within_their_level_are_counted(engine: Engine, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.yaml"
    text = (RULES / "scoring-2021-01-01.yaml").read_text(encoding="utf-8")
    text = text.replace("{when: value < 1, points: 16}", "{when: value < 1, points: 15}")
    candidate.write_text(text, encoding="utf-8")
    four_households().register(engine)
    diff = rules_diff(runner(engine, AS_OF), day_moment(AS_OF), load_candidate(candidate, AS_OF))
    assert diff.changed == ()
    assert "1 score moves: 1 down (at most -1.00)" in diff.text()


def test_a_day_that_was_not_whole_says_so(engine: Engine) -> None:
    today, next_day = _lamp(engine, "xu"), _lamp(engine, "xu", days=1)
    text = explain(today, next_day.as_of)
    assert f"Incomplete: the base register was first read for {next_day.as_of}" in text
    assert "不予发布" in text
    assert "Incomplete" not in explain(next_day, next_day.as_of)
    _, first, second = history([today, next_day], {}, next_day.as_of).splitlines()
    assert first == "  2026-11-19  incomplete, compared with nothing 不完整，不作比较"
    assert "+R04" in second
