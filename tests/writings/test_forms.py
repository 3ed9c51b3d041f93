"""Whatever is written in a form of its field is read as what was meant; what could be two things is
taken for neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import Code, Field
from expectations.words import FALSE, NOTHING, TRUE, words_of
from expectations.writing import (
    PLAIN_FORMS,
    FormError,
    check_date_forms,
    check_number_forms,
    conflicts,
    date_form,
    written_as,
)
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.writings.office import field, read

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
AROUND = st.sampled_from(["{}", " {}", "{}\t", "\u3000{} ", "'{}", '="{}"', "\ufeff{}\u200b"])
WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
FORMS = (
    "YYYY-M-D",
    "YYYY/M/D",
    "YYYY.MM.DD",
    "YYYY年M月D日",
    "YYYYMMDD",
    "DD/MM/YYYY",
    "M.D.YYYY",
    "YYYY/D/M",
    "DDMMYYYY",
    "YYYY年M月",
    "YYYY",
)


@contextmanager
def a_lake() -> Iterator[tuple[Engine, Lake]]:
    with TemporaryDirectory(prefix="yihu-writings-") as folder:
        engine = Engine(Path(folder) / "spill", threads=1)
        try:
            yield engine, Lake(Path(folder) / "lake")
        finally:
            engine.close()


def read_all(kind: Field, texts: list[Any], **how: Any) -> list[Any]:
    with a_lake() as (engine, lake):
        return read(engine, lake, kind, texts, **how)


@FEW
@given(
    st.lists(
        st.tuples(DAYS, st.sampled_from(PLAIN_FORMS), AROUND, st.booleans()),
        min_size=30,
        max_size=40,
    )
)
def test_a_day_in_any_plain_form(written: list[tuple[date, str, str, bool]]) -> None:
    texts = [around.format(written_as(date_form(form), day)) for day, form, around, _ in written]
    texts = [
        text.translate(WIDE) if wide else text
        for text, (_, _, _, wide) in zip(texts, written, strict=True)
    ]
    assert read_all(field("day", "date"), texts) == [day.isoformat() for day, *_ in written]


@pytest.mark.parametrize("form", FORMS)
@FEW
@given(st.lists(DAYS, min_size=30, max_size=40))
def test_a_day_in_the_contracts_form(form: str, days: list[date]) -> None:
    """A month's form means its first day, a year's form its first."""
    meant = date_form(form)
    written = [written_as(meant, day) for day in days]
    expected = [
        day.replace(
            day=day.day if "D" in meant.parts else 1, month=day.month if "M" in meant.parts else 1
        )
        for day in days
    ]
    assert read_all(field("day", "date", written=(form,)), written) == [
        day.isoformat() for day in expected
    ]


@FEW
@given(
    st.lists(DAYS, min_size=30, max_size=40),
    st.sampled_from(["D/M/YYYY", "M/D/YYYY", "DD.MM.YYYY", "D-M-YYYY"]),
)
def test_no_form_is_taken_that_could_be_two(days: list[date], form: str) -> None:
    assert read_all(field("day", "date"), [written_as(date_form(form), day) for day in days]) == [
        "misfit"
    ] * len(days)


@FEW
@given(
    st.lists(st.datetimes(datetime(1950, 1, 1), datetime(2099, 12, 31)), min_size=30, max_size=40)
)
def test_a_time_in_any_plain_form(times: list[datetime]) -> None:
    times = [time.replace(microsecond=0) for time in times]
    ways = [
        "%Y/%m/%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y.%m.%d %H:%M:%S",
        "%Y年%m月%d日%H:%M:%S",
        "%Y%m%d%H%M%S",
        "%Y年%m月%d日 %H时%M分%S秒",
    ]
    texts = [time.strftime(ways[n % len(ways)]) for n, time in enumerate(times)]
    assert read_all(field("at", "timestamp"), texts) == [str(time) for time in times]


@FEW
@given(
    st.lists(
        st.tuples(st.decimals(Decimal("-9e9"), Decimal("9e9"), places=2), AROUND),
        min_size=30,
        max_size=40,
    )
)
def test_an_amount_in_any_plain_form(amounts: list[tuple[Decimal, str]]) -> None:
    ways = ["{:f}", "{:,f}", "￥{:,f}", "{:f}元", "¥{:f}元", "{:,f} 元"]
    texts = [
        around.format(ways[n % len(ways)].format(amount))
        for n, (amount, around) in enumerate(amounts)
    ]
    found = read_all(field("amount", "decimal(16,2)", unit="yuan"), texts)
    assert [Decimal(value) for value in found] == [amount for amount, _ in amounts]


@pytest.mark.parametrize(
    ("form", "unit", "factor"),
    [
        ("万元", "yuan", 10_000),
        ("千元", "yuan", 1000),
        ("亿元", "yuan", 10**8),
        ("元", "10k yuan", "0.0001"),
    ],
)
@FEW
@given(st.lists(st.decimals(Decimal("-9e5"), Decimal("9e5"), places=2), min_size=30, max_size=40))
def test_an_amount_in_the_contracts_unit(
    form: str, unit: str, factor: Any, amounts: list[Decimal]
) -> None:
    """In the field's unit to the last place; what has more places than the field is a misfit, never
    rounded.
    """
    exact = [amount * Decimal(factor) for amount in amounts]
    expected = [value if value == value.quantize(Decimal("0.01")) else "misfit" for value in exact]
    texts = [
        ("{:f}", "{:,f}", f"{{:f}}{form}")[n % 3].format(amount) for n, amount in enumerate(amounts)
    ]
    found = read_all(field("amount", "decimal(16,2)", unit=unit, written=(form,)), texts)
    assert [value if value == "misfit" else Decimal(value) for value in found] == expected


@FEW
@given(st.lists(st.tuples(st.sampled_from([*TRUE, *FALSE]), AROUND), min_size=30, max_size=60))
def test_a_boolean_in_any_word(words: list[tuple[str, str]]) -> None:
    expected = ["true" if word in TRUE else "false" for word, _ in words]
    assert (
        read_all(field("flag", "boolean"), [around.format(word.upper()) for word, around in words])
        == expected
    )


CODES = (Code("01", "户主", ("本人",)), Code("02", "配偶"), Code("11", "other 其他", ("其它",)))


@FEW
@given(st.data())
def test_a_code_in_any_word(data: st.DataObject) -> None:
    kind = field("relation", codes=CODES)
    every = {code.code: code.code for code in CODES} | words_of(kind)
    words = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(every)), AROUND), min_size=30, max_size=60)
    )
    assert read_all(kind, [around.format(word) for word, around in words]) == [
        every[word] for word, _ in words
    ]
    assert every | {"1": "01", "2.0": "02", "其他": "11", "户主": "01", "其它": "11"} == every


def test_a_word_that_could_be_two_codes_is_none() -> None:
    assert "重度" not in words_of(field("level", codes=(Code("1", "重度"), Code("2", "重度"))))
    assert "1.0" not in words_of(field("level", codes=(Code("1", ""), Code("1.0", ""))))
    assert "1" not in words_of(field("level", codes=(Code("01", ""), Code("001", ""))))


def test_a_mark_of_nothing_is_a_word_first() -> None:
    kind = field("relation", codes=(*CODES, Code("00", "none", ("无", "-"))))
    assert read_all(kind, ["无", "-", "/", *NOTHING[6:8]]) == ["00", "00", None, *[None] * 2]


@pytest.mark.parametrize(
    "forms",
    [
        ("DD/MM/YYYY", "MM/DD/YYYY"),
        ("YYYY/D/M", "YYYY/M/D"),
        ("DDMMYYYY", "MMDDYYYY"),
        ("YY.M.D", "D.M.YY"),
    ],
)
def test_two_forms_that_contradict_are_refused(forms: tuple[str, str]) -> None:
    with pytest.raises(FormError, match="read the same text as two days"):
        check_date_forms(forms)


@pytest.mark.parametrize(
    "form",
    ["", "soon", "YYYY-MM-DDX", "DD/MM", "YYYY-MM-MM", "HH:mm", "YYYY-DD", "MM.DD", "excel "],
)
def test_a_form_that_says_no_date_is_refused(form: str) -> None:
    with pytest.raises(FormError):
        check_date_forms((form,))


@pytest.mark.parametrize(
    ("forms", "unit"),
    [
        (("万元", "元"), "yuan"),
        (("万元",), None),
        (("万元",), "mu"),
        (("k",), "yuan"),
        (("%",), None),
    ],
)
def test_a_form_of_numbers_that_says_nothing_is_refused(
    forms: tuple[str, ...], unit: str | None
) -> None:
    with pytest.raises(FormError):
        check_number_forms(forms, unit)


def test_plain_forms_do_not_contradict_each_other() -> None:
    plain = [date_form(form) for form in PLAIN_FORMS]
    assert not any(conflicts(one, other) for one in plain for other in plain)
