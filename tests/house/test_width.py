"""A hundred columns, SQL too; Python is held to them by ruff."""

from __future__ import annotations

from resources.settings import ROOT

WIDTH = 100
ROOMS = ("assets", "bench", "expectations", "pipelines", "resources", "tests", "warehouse")


def test_sql_is_a_hundred_columns_wide() -> None:
    files = [
        path
        for room in ROOMS
        for form in ("*.sql", "*.jinja")
        for path in (ROOT / room).rglob(form)
    ]
    assert len(files) > 100
    wide = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert wide == []
