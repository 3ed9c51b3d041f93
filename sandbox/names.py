"""Names as they occur, and the characters that get written otherwise.

Belongs here: drawing names from faker's zh_CN frequencies, and the tables of variants that the
sandbox's errors use. Not here: comparing names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from faker.providers.person.zh_CN import Provider

SIMPLIFIED = (
    "张陈刘杨赵吴孙马罗郑谢韩许邓冯萧叶苏卢蒋贾邹陆谭龙万钱汤伟丽"
    "军艳杰娟涛兰华红凤国荣云兴刚辉凯玉贵桂宁东飞鹏莹颖畅欢静锋庆"
)
TRADITIONAL = (
    "張陳劉楊趙吳孫馬羅鄭謝韓許鄧馮蕭葉蘇盧蔣賈鄒陸譚龍萬錢湯偉麗"
    "軍艷傑娟濤蘭華紅鳳國榮雲興剛輝凱玉貴桂寧東飛鵬瑩穎暢歡靜鋒慶"
)
"""Character by character; a few are the same in both."""
STANDARD = "峰群吕强晋略"
VARIANT = "峯羣呂強晉畧"
"""Written otherwise (异体字) in older registers."""
RARE = "喆堃玥翀珺赟旻芃祎犇頔炘珮璟珣彧瑄曌"
RARE_PINYIN = (
    *("zhe", "kun", "yue", "chong", "jun", "yun", "min", "peng", "yi"),
    *("ben", "di", "xin", "pei", "jing", "xun", "yu", "xuan", "zhao"),
)
"""Outside GB 2312: old systems write □, ? or pinyin instead."""
DOTTED_FIRST = ("阿依", "买买提", "古丽", "艾力", "帕提", "热依", "努尔", "阿卜杜")
DOTTED_LAST = ("古丽", "艾力", "吐尔逊", "热合曼", "尼亚孜", "卡德尔", "玛依拉", "图拉")

_RARE_SHARE = 0.01
_DOTTED_SHARE = 0.001
_SINGLE_SHARE = 0.25

Names = npt.NDArray[np.str_]


def surnames(rng: np.random.Generator, count: int) -> Names:
    """Family names by their frequency."""
    table = Provider.last_names
    weights = np.array(list(table.values()), dtype=float)
    return np.array(list(table))[rng.choice(len(weights), count, p=weights / weights.sum())]


def given_names(rng: np.random.Generator, male: npt.NDArray[np.bool_]) -> Names:
    """Given names by sex, of one or two characters, a few with a rare one."""
    given = np.where(
        male,
        _given(rng, Provider.first_names_male, len(male)),
        _given(rng, Provider.first_names_female, len(male)),
    )
    rare = rng.random(len(male)) < _RARE_SHARE
    head = np.where(rng.random(len(male)) < 0.5, given.astype("U1"), "")
    return np.where(
        rare, np.char.add(head, np.array(list(RARE))[rng.integers(0, len(RARE), len(male))]), given
    )


def _given(rng: np.random.Generator, table: list[str], count: int) -> Names:
    whole = np.array(table)[rng.integers(0, len(table), count)]
    characters = np.array(
        sorted({character for name in Provider.first_names for character in name})
    )
    double = np.char.add(characters[rng.integers(0, len(characters), count)], whole.astype("U1"))
    return np.where(rng.random(count) < _SINGLE_SHARE, whole, double)


def dotted(rng: np.random.Generator, names: Names) -> Names:
    """The names, a few of them replaced by names with a middle dot."""
    first = np.array(DOTTED_FIRST)[rng.integers(0, len(DOTTED_FIRST), len(names))]
    last = np.array(DOTTED_LAST)[rng.integers(0, len(DOTTED_LAST), len(names))]
    return np.where(
        rng.random(len(names)) < _DOTTED_SHARE, np.char.add(np.char.add(first, "·"), last), names
    )
