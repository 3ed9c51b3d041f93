"""The rules of what follows are data, refused where they cannot hold; the same inputs give the same
rows.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from assets.release import used_versions
from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, follow
from tests.indicators.county import County
from tests.making import FOLLOWING
from warehouse.catalogue import RULES
from warehouse.following_rules import load_following, read_following
from warehouse.graph.registry import order_of
from warehouse.scoring_rules import RuleError, named

FIRST = RULES / "following-2021-01-01.yaml"


def changed(tmp_path: Path, **parts: object) -> Path:
    content = yaml.safe_load(FIRST.read_text(encoding="utf-8"))
    path = tmp_path / f"following-{parts.get('effective_from', '2021-01-01')}.yaml"
    path.write_text(
        yaml.safe_dump({**content, **parts}, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    return path


def test_the_first_version_is_as_in_the_design() -> None:
    rules = load_following(AS_OF).following
    lists = {(rule.department, rule.code): rule.when for rule in rules.verify}
    assert lists == {
        ("health_insurance", "R04"): ("value >= T",),
        ("housing", "R14"): ("value = C", "value = D"),
        ("emergency_management", "R16"): ("value = 2", "value = 3"),
        ("emergency_management", "R25"): ("value >= 1",),
        ("disability_federation", "R11"): ("value >= 1",),
        ("health_commission", "R07"): ("value >= 1",),
        ("civil_affairs", "R13"): ("value >= 1",),
        ("civil_affairs", "R28"): ("value = true",),
        ("rural_revitalisation", "R01"): ("value < 1",),
        ("rural_revitalisation", "R17"): ("value = true",),
        ("rural_revitalisation", "R18"): ("value >= 1",),
    }
    assert [(d.stage, d.days, d.after) for d in rules.deadlines] == [
        ("verified", 3, "discovered"),
        ("compared", 5, "verified"),
        ("approved", 15, "discovered"),
        ("assisted", 30, "recorded"),
    ]
    assert rules.tasks.due_days == 30
    assert [name for name, m in rules.bulletin.items() if m.best == "lowest"] == ["red_rate"]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            {"verify": [{"department": "post_office", "code": "R04", "when": ["value >= T"]}]},
            "post_office",
        ),
        (
            {"verify": [{"department": "housing", "code": "S01", "when": ["value >= 1"]}]},
            "S01 is no risk",
        ),
        ({"verify": [{"department": "housing", "code": "R14", "when": ["value >= C"]}]}, "only ="),
        ({"verify": [{"department": "housing", "code": "R14", "when": []}]}, "at least 1"),
        (
            {"verify": [{"department": "housing", "code": "R14", "when": ["value = C"]}] * 2},
            "twice",
        ),
        (
            {"deadlines": [{"stage": "buried", "days": 3, "after": "discovered"}]},
            "deadlines.0.stage",
        ),
        ({"bulletin": {"red_rate": {"best": "lowest"}}}, "missing or unknown"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(
    tmp_path: Path, parts: dict[str, object], says: str
) -> None:
    path = changed(tmp_path, **parts)
    with pytest.raises(RuleError, match=says) as refused:
        read_following(path)
    assert str(path) in str(refused.value)


def test_a_task_for_every_risk_with_a_known_need(tmp_path: Path) -> None:
    tasks = yaml.safe_load(FIRST.read_text(encoding="utf-8"))["tasks"]
    del tasks["for"]["R30"]
    with pytest.raises(RuleError, match="R30"):
        read_following(changed(tmp_path, tasks=tasks))
    tasks["for"]["R30"] = {"need": "money", "department": "citizen_reports", "task": "answer"}
    with pytest.raises(RuleError, match="money is no difficulty code"):
        read_following(changed(tmp_path, tasks=tasks))


def test_a_day_has_the_version_in_force_on_it(tmp_path: Path) -> None:
    changed(tmp_path)
    changed(tmp_path, effective_from=date(2027, 1, 1), verify=[])
    assert load_following(date(2026, 12, 31), tmp_path).verify
    assert not load_following(date(2027, 1, 1), tmp_path).verify
    with pytest.raises(RuleError, match="no following file"):
        load_following(date(2020, 12, 31), tmp_path)


def test_the_same_inputs_give_the_same_rows(engine: Engine, tmp_path: Path) -> None:
    def made() -> dict[str, list[tuple[object, ...]]]:
        follow(engine, County(11, AS_OF, 60).facts)
        return {
            table: engine.rows(f"select * from {table} order by {order_of(table)}")
            for table in FOLLOWING
        }

    first = made()
    assert made() == first
    for table in FOLLOWING:
        keys = engine.rows(f"select {order_of(table)} from {table}")
        assert len(set(keys)) == len(keys), table


def test_a_version_that_a_release_used_is_never_changed(tmp_path: Path) -> None:
    used, edited = read_following(FIRST), read_following(changed(tmp_path, verify=[]))
    assert used.following.effective_from == edited.following.effective_from
    assert used.version != edited.version
    with sa.create_engine("sqlite://").connect() as connection:
        connection.execute(sa.text("attach ':memory:' as ops"))
        connection.execute(
            sa.text("create table ops.release (rule_version text, following_version text)")
        )
        assert used_versions(connection, "following_version") == []
        connection.execute(
            sa.text("insert into ops.release values ('x', :version), ('x', null)"),
            {"version": used.version},
        )
        versions = used_versions(connection, "following_version")
    assert versions == [used.version]
    assert named(used.version, load_following) == used
    with pytest.raises(RuleError, match="from 2021-01-01 are not those that a release used"):
        named(used.version, lambda day: load_following(day, tmp_path))
    with pytest.raises(RuleError, match="no following file is in force on 2020-01-01"):
        named("2020-01-01-00000000", load_following)
    with pytest.raises(RuleError, match="begins with no date"):
        named("rules of then", load_following)
