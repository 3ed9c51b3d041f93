"""Lines of a table that are no records: totals, signatures, the header again, blanks.

Belongs here: what a line is, by its cells. Not here: bad rows, which are records (`expectations`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from resources.departments.header import Header, squeezed
from resources.reader.encodings import ILLEGAL
from resources.reader.table import Cell

Kind = Literal["title", "header", "blank", "total", "footer", "line", "separator"]

TOTALS = (
    "合计",
    "总计",
    "小计",
    "累计",
    "共计",
    "本页",
    "本月共",
    "本月合",
    "本表共",
    "总数",
    "总人数",
    "总户数",
)
EXACT = frozenset({"合计", "总计", "小计", "累计", "共计"})
FOOTERS = (
    *("填表", "制表", "制单", "打印", "单位负责人", "负责人", "分管领导", "主管领导", "领导签"),
    *("签字", "盖章", "联系人", "联系电话", "报送", "单位(", "单位盖章", "单位:"),
    *("人民币", "金额大写", "大写:", "此表", "本表", "本清单", "以下空白"),
    *("说明", "备注", "注:", "注.", "注1", "注一", "注、", "附注"),
)
DOINGS = (
    *("填报", "填写", "编制", "审核", "审批", "复核", "复审", "统计", "录入", "上报", "核对"),
    *("经办", "初审", "分管", "主管", "截至", "截止", "以上"),
)
"""Words that may begin a name too (统计局): a line that they begin is a note where whoever did it
is named, or where most of its cells are empty."""
ENDS = (":", "意见", "日期", "时间")
"""How the first cell of a signature's line may end that has few others: 镇政府意见, 报表日期."""
_DONE_BY = re.compile(r"(人|者|员|单位|部门|机关|科室|领导|日期|时间|意见|签|盖|[:(]|$)")
SHAPED = r"^[\s'=\"]*[A-Za-z_/\-]{0,10}[0-9０-９][0-9A-Za-z_/*.+\-０-９Ｘｘ]{5,}[\s\"\x{3000}]*$"
"""A number of a person, a certificate or a record, as RE2 reads it."""

OTHER = r"^\s*((19|20)[0-9]{2}[-./][0-9]{1,2}[-./][0-9]{1,2}|1[3-9][0-9]{9})\s*$"
"""Of that shape, too, but a day or a telephone: a signature's line may have one in any column."""

_OTHER = re.compile(OTHER)
_SHAPED = re.compile(SHAPED.replace(r"\x{3000}", "\u3000"))
_KEY = re.compile(r"[A-Za-z0-9_\-/.]*[0-9][A-Za-z0-9_\-/.]*")
_SEPARATOR = re.compile(r"[-—–―_=*＊·.…~～]+")
_LABEL = re.compile(
    r"[^:：0-9]{1,12}[:：].*|[12][0-9]{3}[-./年][0-9]{1,2}([-./月][0-9]{1,2}日?)?", re.DOTALL
)
_PAGE = re.compile(r"(共|第)[0-9一二三四五六七八九十]+[页户人条笔].*")
_OPENING = re.compile(r"^[(\[【*※#]+")
LONG = 1e5
"""A number cell from here on is no count of rows."""
NARROW = 3
"""A table with fewer columns is too narrow to say that a line with one filled cell is no record."""


@dataclass(frozen=True)
class Lines:
    """How the lines of one table are told apart."""

    header: Header
    keys: tuple[int, ...]
    """Columns of the key."""
    numbers: tuple[int, ...]
    """Columns of the key and of identities: where one of them holds a number, the line is a record.
    """
    titles: frozenset[tuple[str, ...]]
    """The filled cells of the rows above the header: they may stand again."""
    words: tuple[str, ...]
    """What begins a note line besides the words that every office uses."""

    def kind(self, cells: Sequence[Cell]) -> Kind | None:
        """What the line is, None for a record."""
        filled = [
            (place, str(cell).strip())
            for place, cell in enumerate(cells)
            if cell is not None and str(cell).strip()
        ]
        if not filled:
            return "blank"
        if any(ILLEGAL in text for _, text in filled) or any(
            _is_number(cells, place) for place in self.numbers
        ):
            return None
        texts = [text for _, text in filled]
        if all(_SEPARATOR.fullmatch(text) for text in texts):
            return "separator"
        if self._is_header(texts):
            return "header"
        if tuple(texts) in self.titles:
            return "title"
        return self._begins(filled, len(cells)) or self._alone(filled, len(cells))

    def is_moved(self, cells: Sequence[Cell]) -> bool:
        """Whether a header that stands again has its columns elsewhere:
        what is below would be read as something else.
        """
        where = self.header.where
        filled = [
            (place, squeezed(str(cell)))
            for place, cell in enumerate(cells)
            if cell not in (None, "")
        ]
        return any(text in where and place not in where[text] for place, text in filled if text)

    def _is_header(self, texts: list[str]) -> bool:
        again = sum(squeezed(text) in self.header.texts for text in texts)
        return again == len(texts) or (again >= 2 and again * 2 >= len(texts))

    def _begins(self, filled: list[tuple[int, str]], width: int) -> Kind | None:
        """By its first word; by the word in its key's column, which then is no key."""
        words = [
            _OPENING.sub("", squeezed(text))
            for place, text in filled
            if place in self.keys or place == filled[0][0]
        ]
        if any(squeezed(text).rstrip(":") in EXACT for _, text in filled):
            return "total"
        if any(
            word.startswith(TOTALS) or word.rstrip(":").endswith(("小计", "合计", "总计"))
            for word in words
        ):
            return "total"
        if any(place in self.keys and _KEY.fullmatch(text) for place, text in filled):
            return None  # a total may have a count in the key's column, nothing else
        if any(word.startswith((*FOOTERS, *self.words)) or word == "注" for word in words):
            return "footer"
        is_sparse = len(filled) * 2 <= width
        if any(_is_doing(word, is_sparse) for word in words):
            return "footer"
        if is_sparse and squeezed(filled[0][1]).endswith(ENDS):
            return "footer"
        is_label = all(
            _LABEL.fullmatch(text) or _PAGE.fullmatch(squeezed(text)) for _, text in filled
        )
        return "footer" if len(filled) > 1 and is_label else None

    def _alone(self, filled: list[tuple[int, str]], width: int) -> Kind | None:
        if len(filled) > 1 or width < NARROW:
            return None
        place, text = filled[0]
        return None if place in self.keys and _KEY.fullmatch(text) else "line"


def _is_doing(word: str, is_sparse: bool) -> bool:
    begun = next((doing for doing in DOINGS if word.startswith(doing)), None)
    if begun is None:
        return False
    return is_sparse or _DONE_BY.match(word, len(begun)) is not None


def _is_number(cells: Sequence[Cell], place: int) -> bool:
    cell = cells[place] if place < len(cells) else None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return abs(cell) >= LONG
    return isinstance(cell, str) and _SHAPED.match(cell) is not None and _OTHER.match(cell) is None
