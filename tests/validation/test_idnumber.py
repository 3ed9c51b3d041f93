"""The structure of ID numbers, against python-stdnum."""

from __future__ import annotations

import random

import duckdb
import pytest
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from expectations.idnumber import certificate_misshapen, id_misshapen


def judged(condition: str, numbers: list[str | None]) -> list[bool]:
    connection = duckdb.connect()
    connection.execute("create table t (n integer, x varchar)")
    connection.executemany("insert into t values (?, ?)", list(enumerate(numbers)))
    return [
        bool(bad)
        for (bad,) in connection.execute(f"select {condition} from t order by n").fetchall()
    ]


def sound(number: str) -> bool:
    """Check character and date as stdnum has them; it also refuses regions that were renumbered,
    which we never do.
    """
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return ric.calc_check_digit(number) == number[17].upper()


def test_18_characters_as_stdnum_has_them() -> None:
    dice = random.Random(3)
    born = [
        f"{dice.randint(1900, 2025)}{dice.randint(0, 13):02d}{dice.randint(0, 32):02d}"
        for _ in range(3000)
    ]
    numbers = [
        f"610921{day}{dice.randint(0, 999):03d}{dice.choice('0123456789Xx')}" for day in born
    ]
    numbers = [
        n[:17] + (ric.calc_check_digit(n) if dice.random() < 0.5 else n[17]) for n in numbers
    ]
    assert judged(id_misshapen("x"), list(numbers)) == [not sound(n) for n in numbers]


@pytest.mark.parametrize(
    ("number", "is_misshapen"),
    [
        (None, False),
        ("610921800101001", False),
        ("610921801301001", True),
        ("61092119800229000X", True),
        ("１１０１０５１９４９１２３１００２Ｘ", True),
        ("11010519491231002X", False),
        ("11010519491231002x", False),
        ("11010519491231002X ", True),
        ("999999", True),
    ],
)
def test_what_a_number_may_look_like(number: str | None, is_misshapen: bool) -> None:
    assert judged(id_misshapen("x"), [number]) == [is_misshapen]


@pytest.mark.parametrize(
    ("number", "is_misshapen"),
    [
        ("11010519491231002X43", False),
        ("11010519491231002X43B1", False),
        ("11010519491231002X43B0", True),
        ("11010519491231002X83", True),
    ],
)
def test_what_a_certificate_may_look_like(number: str, is_misshapen: bool) -> None:
    assert judged(certificate_misshapen("x"), [number]) == [is_misshapen]
