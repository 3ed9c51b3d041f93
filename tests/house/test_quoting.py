"""Texts, days and paths are quoted for SQL in one place: `expectations.engine`."""

from __future__ import annotations

import re

from resources.settings import ROOT

ROOMS = ("expectations", "warehouse", "resources", "assets", "pipelines", "sandbox")
BY_HAND = {
    "a path pasted into read_parquet": re.compile(r"read_parquet\('\{"),
    "a text quoted by hand": re.compile(r"\"'\" \+ .*\.replace\(\"'\", \"''\"\)"),
    "a path pasted into copy": re.compile(r"copy .* to '\{"),
}
ONE_PLACE = "expectations/engine.py"


def test_nothing_is_quoted_by_hand() -> None:
    found: list[str] = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found += [
                    f"{name}:{number}: {what}"
                    for what, by_hand in BY_HAND.items()
                    if by_hand.search(line) and name != ONE_PLACE
                ]
    assert found == []
