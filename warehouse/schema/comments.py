"""What the database says of every view and column, in English and Chinese: what it is, whether it
is a key, what it refers to. BI tools and `\\d+` show it, and the dictionary has the same.

Belongs here: putting a comment together. Not here: the English meanings (`declared`), the Chinese
words, which are declared once by the name of the column (`words.csv`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

WORDS = Path(__file__).with_name("words.csv")
CHINESE = re.compile("[\u4e00-\u9fff]")
REFERENCES: Mapping[str, str] = {
    "household_id": "household.household_id",
    "area_code": "area.area_code",
    "town_code": "area.area_code",
    "parent_code": "area.area_code",
    "department": "department.department",
    "owner": "department.department",
    "other": "department.department",
    "rule_version": "rule_line.rule_version",
}
"""What a column refers to, by its name, wherever it is not the key of that view itself."""
TEXT = "_text"
"""What the text beside a list is called behind the list's name."""
OF_INDICATORS = ("verify_item", "follow_up_task", "monthly_screening", "rule_line")
"""Views whose `code` is always an indicator's."""
MOSTLY = "yihu.indicator.code, but for cap:…, offset, floor and limit"


@lru_cache(maxsize=1)
def _words() -> Mapping[str, tuple[str, str]]:
    """Chinese and English by the name of a column, or by `view:` and the name of a view."""
    with WORDS.open(encoding="utf-8", newline="") as file:
        return {row["name"]: (row["chinese"], row["english"]) for row in csv.DictReader(file)}


def in_both(name: str, meaning: str) -> str:
    """A meaning in both languages; as it is where it has Chinese in it, or nobody has the word."""
    chinese, english = _words().get(name.removesuffix(TEXT), ("", ""))
    if chinese and name.endswith(TEXT):
        chinese += "（文本）"
    said = meaning or english
    return said if not chinese or CHINESE.search(said) else f"{said} ({chinese})".strip()


def refers_to(view: str, column: str) -> str | None:
    """What a column of a view refers to; None where it refers to nothing."""
    if column == "code" and view in OF_INDICATORS:
        return "yihu.indicator.code"
    if column == "code" and view == "warning_reason":
        return MOSTLY
    target = REFERENCES.get(column)
    if target is None or target == f"{view}.{column}":
        return None
    return f"yihu.{target}"


def column_comment(view: str, column: str, meaning: str, *, is_key: bool) -> str:
    """The comment on a column."""
    target = refers_to(view, column)
    parts = [
        in_both(column, meaning),
        "key" if is_key else "",
        f"refers to {target}" if target else "",
    ]
    return "; ".join(part for part in parts if part)


def view_comment(view: str, meaning: str) -> str:
    """The comment on a view."""
    return in_both(f"view:{view}", meaning)
