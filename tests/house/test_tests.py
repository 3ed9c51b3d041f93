"""The tests themselves: each file is of one kind and stands on the page, no assertion is true
whatever happens, no parameter goes unread.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pipelines.development.documented import make_targets
from pipelines.development.tested import PAGE, TESTS, page
from resources.settings import ROOT
from tests.kinds import KINDS, kind_of

FILES = sorted(TESTS.glob("*/test_*.py"))


def test_the_page_is_as_the_tests_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs"


def test_every_kind_has_its_command_and_its_marker_and_every_pattern_a_file() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    markers = {marker.partition(":")[0] for marker in options["ini_options"]["markers"]}
    assert set(KINDS) <= markers
    assert {f"test-{kind}" for kind in KINDS} <= set(make_targets())
    names = {str(file.relative_to(TESTS)).replace("/test_", "/") for file in FILES}
    for kind, declared in KINDS.items():
        for pattern in declared.files:
            found = [name for name in names if Path(name).match(f"{pattern}.py")]
            assert found or pattern == "*", (kind, pattern)
    assert {kind_of(str(file.relative_to(TESTS))) for file in FILES} == set(KINDS)


def idle_assertions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Assertions that are true whatever happens."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        test = node.test
        elements = getattr(test, "elts", None) or getattr(test, "keys", None)
        is_always_true = (
            (isinstance(test, ast.Tuple | ast.List | ast.Set | ast.Dict) and bool(elements))
            or isinstance(test, ast.GeneratorExp | ast.Lambda | ast.JoinedStr)
            or (isinstance(test, ast.ListComp) and not any(g.ifs for g in test.generators))
            or (isinstance(test, ast.Constant) and bool(test.value))
            or (
                isinstance(test, ast.Compare)
                and ast.dump(test.left) == ast.dump(test.comparators[0])
            )
        )
        if is_always_true:
            yield node.lineno, ast.unparse(test)


def unread_parameters(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Parameters of a test that its body never looks at."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not function.name.startswith("test_"):
            continue
        read = {
            node.id
            for line in function.body
            for node in ast.walk(line)
            if isinstance(node, ast.Name)
        }
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and "parametrize" in ast.unparse(decorator.func):
                named = ast.literal_eval(decorator.args[0])
                names = named.split(",") if isinstance(named, str) else named
                yield from (
                    (function.lineno, name.strip()) for name in names if name.strip() not in read
                )


def test_no_assertion_is_true_whatever_happens_and_no_parameter_unread() -> None:
    found = []
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found += [(file.name, *what) for what in (*idle_assertions(tree), *unread_parameters(tree))]
    assert found == []


def test_such_a_one_would_be_found() -> None:
    tree = ast.parse(
        "@pytest.mark.parametrize(('a', 'b'), [(1, 2)])\n"
        "def test_it(a, b):\n"
        "    assert [a, 2]\n"
        "    assert [x for x in a]\n"
        "    assert a == a\n"
        "    assert a == 1\n"
    )
    assert [line for line, _ in idle_assertions(tree)] == [3, 4, 5]
    assert list(unread_parameters(tree)) == [(2, "b")]
