"""`docs/tests.md`: which guarantee is held where, by the kind of test; made from what each file of
tests says of itself.

Belongs here: reading the tests as text. Not here: the kinds (`tests/kinds.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from runpy import run_path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "tests.md"
HEAD = """# Which guarantee is held where

Made from the tests by `make docs`; a test fails when it is behind. Every file of tests is of one
kind, and says in its first sentence what it holds.

| command | kind | its tests |
|---|---|---|
"""
BESIDE = """
`make test` runs all of them but those that take minutes, `make test-long` the rest; both say at
their end which took longest. `make test-spark` is apart, since Spark has an environment of its own.
A test that needs what a machine may not have (Chromium, a second PostgreSQL, a small disk that may
be mounted) is skipped there and says so; no other is.

## How it is known that they can fail

`make mutate` plants faults, one at a time, in a copy of the clone: in models, rules, contracts and
Python, drawn by `SEED`, as many as `N` says; and runs the tests of that part. A fault that nothing
catches is printed with its line and what it was changed to. What was left standing, and why, is in
`tests/standing_mutants.txt`. `make coverage` measures branches over what `make test` runs, child
processes too.

An assertion that is true whatever happens (a list of values, a comparison of a thing with itself)
and a parameter that its test never looks at are refused by `tests/house/test_tests.py`; what the
code is held against in the design stands in `tests/design/`, so that a clean clone skips none.
"""


def _said(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).replace("|", "\\|")


def page() -> str:
    """The page as Markdown."""
    kinds: dict[str, Any] = run_path(str(TESTS / "kinds.py"))
    declared: Mapping[str, Any] = kinds["KINDS"]
    lines = [
        f"| `make test-{kind}` | {kind} | {found.does} |"
        for kind, found in sorted(declared.items())
    ]
    files = sorted(str(file.relative_to(TESTS)) for file in TESTS.glob("*/test_*.py"))
    sections = []
    for kind in sorted(declared):
        rows = [
            f"| `tests/{file}` | {_said(TESTS / file)} |"
            for file in files
            if kinds["kind_of"](file) == kind
        ]
        sections += ["", f"## {kind.capitalize()}", "", "| where | what it holds |", "|---|---|"]
        sections += rows
    return HEAD + "\n".join(lines) + "\n" + BESIDE + "\n".join(sections) + "\n"
