"""One exception tree: every exception is in it, says what to do next, and is drawn as it is."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from expectations.errors import EXIT_STATUSES, KINDS, ConfigurationError, UsageError, YihuError
from pipelines import __main__ as command_line
from pipelines.development.documented import ErrorClass, error_classes, pages, tree_lines
from resources.runtime.failures import failed_with, failure
from resources.runtime.lock import RunLocked
from resources.settings import ROOT, SettingsError
from warehouse.publication import AuditFailed
from warehouse.publication.errors import GateClosed

ROOMS = ("expectations", "warehouse", "resources", "assets", "pipelines", "sandbox", "bench")
TYPES = {name: made for name, made in vars(builtins).items() if isinstance(made, type)}
BUILT_IN = {name for name, made in TYPES.items() if issubclass(made, BaseException)}


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    written = [path for path in paths if path.parent.name != "versions"]
    return tuple((path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))) for path in written)


@cache
def in_the_tree() -> dict[str, ErrorClass]:
    return {error.name: error for error in error_classes()}


def names_in(node: ast.expr | None) -> set[str]:
    parts = [] if node is None else ast.walk(node)
    return {part.id for part in parts if isinstance(part, ast.Name)}


def test_every_exception_of_the_project_is_in_the_tree() -> None:
    ours = {(error.module, error.name) for error in error_classes()}
    errors = BUILT_IN | in_the_tree().keys()
    outside = [
        f"{path}:{node.lineno}: {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(names_in(base) & errors for base in node.bases)
        and (".".join(path.with_suffix("").parts), node.name) not in ours
    ]
    assert outside == []
    assert len(ours) >= 50


def says_more_than_its_class(call: ast.Call) -> bool:
    return len(call.args) > 1 or any(isinstance(arg, ast.Starred) for arg in call.args)


def test_every_error_says_what_to_do_next() -> None:
    by_name, others = in_the_tree(), {"sandbox/faults.py": "Fault"}
    own_form = {"SettingsError"}  # a problem a line, each with what to write
    silent = [
        f"{path}:{node.lineno}: {node.func.id}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in by_name.keys() - own_form
        and not by_name[node.func.id].next_step
        and not says_more_than_its_class(node)
        and others.get(path.as_posix()) != node.func.id
    ]
    assert silent == []


def test_nobody_lists_classes_of_ours_to_catch() -> None:
    names = in_the_tree().keys()
    lists = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Tuple)
        and len({n for element in node.type.elts for n in names_in(element)} & names) > 1
    ]
    assert lists == []


def test_every_kind_and_exit_status_is_described() -> None:
    assert {error.kind for error in error_classes()} <= set(KINDS)
    assert {error.exit_status for error in error_classes()} <= set(EXIT_STATUSES)


def test_the_tree_and_its_page_are_as_the_classes_are() -> None:
    behind = [path.name for path, text in pages().items() if path.read_text("utf-8") != text]
    assert behind == [], "make docs writes them"
    head = (ROOT / "expectations" / "errors.py").read_text().splitlines()
    assert "      RunLocked               transient      3" in head
    assert len(tree_lines()) == len(error_classes())


def test_the_tree_costs_nothing_to_import() -> None:
    heavy = ("pandas", "pyarrow", "dagster", "yaml")
    code = f"import sys, expectations.errors; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("RECORDS is 'x':", "RECORDS is 'x': use one of a"),
        ("it ended.", "it ended. use one of a"),
        ("it ended", "it ended; use one of a"),
        ("one\ntwo", "one\ntwo\nuse one of a"),
    ],
)
def test_the_message_leads_into_the_next_step(message: str, said: str) -> None:
    assert str(YihuError(message, "use one of a")) == said


@pytest.mark.parametrize(
    ("error", "lines", "status"),
    [
        (
            UsageError("NAME is missing:", "make extract NAME=…"),
            ["yihu: NAME is missing: make extract NAME=…"],
            1,
        ),
        (
            SettingsError(["A is wrong: write B", "C is wrong: write D"]),
            ["yihu: A is wrong: write B", "yihu: C is wrong: write D"],
            2,
        ),
        (RunLocked("another sync is running.", "Wait"), ["yihu: another sync is running. Wait"], 3),
        (
            ConfigurationError("x.yaml:1: no YAML", "mend it"),
            ["yihu: x.yaml:1: no YAML; mend it"],
            2,
        ),
    ],
)
def test_a_command_ends_as_the_error_says(
    error: YihuError,
    lines: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def raising(*_: object) -> int:
        raise error

    monkeypatch.setattr(command_line, "run", raising)
    assert command_line.main(["docs"]) == status
    assert capsys.readouterr().err.splitlines() == lines


def test_an_error_that_nobody_foresaw_is_no_traceback_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def raising(*_: object) -> int:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(command_line, "run", raising)
    assert command_line.main(["docs"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Traceback")
    assert said[-1].startswith("yihu: ZeroDivisionError: ")
    assert "report it" in said[-1]


def test_dagster_keeps_kind_and_next_step_apart_from_the_words() -> None:
    class Data:
        user_failure_data = failure(
            GateClosed("2026-11-19", ["gate red_jump: red went from 1 to 99"], ["red_jump"]),
            "release",
        )

    told = failed_with(Data)
    assert told is not None
    assert (
        told.kind,
        told.message.startswith("release: the release of 2026-11-19"),
        "open the gate" in told.next_step,
    ) == (
        "gate",
        True,
        True,
    )
    assert not Data.user_failure_data.allow_retries
    assert failed_with(object()) is None
    assert AuditFailed("2026-11-19", ["gate and open-gate are only words here"]).kind == "defect"
