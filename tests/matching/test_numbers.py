"""ID numbers: normalising, soundness and pseudonyms, as SQL on the engine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from resources.engines.duckdb import Engine
from tests.matching.county import AS_OF, KEY, check_character, number
from warehouse import identity

SOUND = number("19800229", 7)
ENDS_IN_X = next(n for n in (number("19751231", i) for i in range(1, 200)) if n.endswith("X"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"), threads=1)
    engine.table("pseudonym_pad", identity.pad_select(KEY))
    yield engine
    engine.close()


def judge(engine: Engine, raw: str | None) -> tuple[str | None, str | None, str | None]:
    """Number, form and problem of a number as delivered."""
    row = engine.rows(
        f"""
        with cleaned as (select {identity.cleaned("raw")} as clean
            from (select cast(? as varchar) as raw)),
        shaped as (select {identity.shaped("clean")} as number, {identity.form("clean")} as form
            from cleaned),
        expected as (select *, {identity.check_character("number")} as expected from shaped)
        select number, form, {identity.problem("number", "form", f"date '{AS_OF}'", "expected")}
            from expected
        """,
        [raw],
    )[0]
    return (row[0], row[1], row[2])


@pytest.mark.parametrize(
    "raw",
    [
        f" {SOUND} ", f"\t{SOUND}\n", f"'{SOUND}", f"‘ {SOUND}",
        f"\u200b{SOUND[:9]}\ufeff{SOUND[9:]}", f"{SOUND[:6]} {SOUND[6:14]} {SOUND[14:]}",
        f"{SOUND[:6]}-{SOUND[6:14]}—{SOUND[14:]}", f"\u3000{SOUND}\xa0",
        SOUND.translate({ord("0") + i: 0xFF10 + i for i in range(10)}),
    ],
)  # fmt: skip
def test_what_is_not_part_of_a_number_goes(engine: Engine, raw: str) -> None:
    assert judge(engine, raw) == (SOUND, "exact", None)


@pytest.mark.parametrize("last", list("xXＸｘ×*＊Хх"))
def test_every_x_in_the_last_place(engine: Engine, last: str) -> None:
    assert judge(engine, ENDS_IN_X[:17] + last) == (ENDS_IN_X, "exact", None)


def test_an_asterisk_elsewhere_is_damage(engine: Engine) -> None:
    assert judge(engine, SOUND[:10] + "****" + SOUND[14:])[2] == "damaged"


def test_fifteen_digits_become_eighteen(engine: Engine) -> None:
    assert judge(engine, SOUND[:6] + SOUND[8:17]) == (SOUND, "upgraded", None)


@pytest.mark.parametrize("suffix", ["42", "42B1", "42b9"])
def test_a_certificate_gives_its_first_eighteen(engine: Engine, suffix: str) -> None:
    assert judge(engine, SOUND + suffix) == (SOUND, "certificate", None)
    assert judge(engine, ENDS_IN_X[:17] + "*" + suffix) == (ENDS_IN_X, "certificate", None)


def test_a_certificate_has_no_suffix_b0(engine: Engine) -> None:
    assert judge(engine, SOUND + "42B0")[2] == "damaged"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "empty"), ("", "empty"), (" \u200b ", "empty"),
        ("999999199001010017", "placeholder"), ("999999999999999999", "placeholder"),
        ("9" * 15, "placeholder"),
        ("111111111111111111", "placeholder"), ("1" * 15, "placeholder"),
        ("000000000000000000", "placeholder"), ("1" * 20, "placeholder"),
        ("6.10921E+17", "scientific_notation"), ("6.10921e17", "scientific_notation"),
        ("6E+17", "scientific_notation"),
        (SOUND[:17], "damaged"), (SOUND + "1", "damaged"), ("护照G1234567", "damaged"),
        ("O" + SOUND[1:], "damaged"), (SOUND[:14], "damaged"),
        (SOUND[:17] + ("1" if SOUND[17] != "1" else "2"), "check_failed"),
        (number("19810229"), "not_a_date"), (number("19801301"), "not_a_date"),
        (number("19800100"), "not_a_date"), ("612422810229001", "not_a_date"),
        (number("18991231"), "birth_before_1900"), (number("19000101"), None),
        (number("20261120"), "birth_in_future"), (number("20261119"), None),
        (number(region="000000"), None), (number(region="610921"), None),
    ],
)  # fmt: skip
def test_what_is_never_a_person(engine: Engine, raw: str | None, problem: str | None) -> None:
    assert judge(engine, raw)[2] == problem


def test_fifteen_digits_and_000_are_clipped(engine: Engine) -> None:
    clipped = next(
        n for n in (number("19800101", i) for i in range(0, 1000, 100)) if n.endswith("000")
    )
    select = (
        f"select {identity.is_clipped('n', 'f')} from (select cast(? as varchar) as n, cast(? as"
        " varchar) as f)"
    )
    assert [
        engine.scalar(select, [clipped, form]) for form in ("exact", "certificate", "upgraded")
    ] == [True, True, False]
    assert engine.scalar(select, [SOUND, "exact"]) is False


def test_check_characters_as_in_stdnum(engine: Engine) -> None:
    seventeens = [
        f"610921{1950 + i % 70}{1 + i % 12:02d}{1 + i % 28:02d}{i % 1000:03d}" for i in range(500)
    ]
    values = ", ".join(f"('{s}')" for s in seventeens)
    found = dict(
        engine.rows(f"select s, {identity.check_character('s')} from (values {values}) as t (s)")
    )
    assert (
        found
        == {s: ric.calc_check_digit(s + "0") for s in seventeens}
        == {s: check_character(s) for s in seventeens}
    )


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=24),
            st.text("0123456789Xx×*ОOIl -'‘\u200b\u3000９Ｘ", max_size=24),
            st.text("0123456789xB", min_size=15, max_size=22),
        ),
        min_size=40,
        max_size=60,
    )
)
def test_normalising_twice_changes_nothing(engine: Engine, raws: list[str]) -> None:
    shaped = "select n, {0} as s from (select n, {1} as c from ({2}))".format
    given_numbers = "select n from (values {}) as t (n)".format(
        ", ".join("('{}')".format(raw.replace("'", "''")) for raw in raws)
    )
    once = shaped(identity.shaped("c"), identity.cleaned("n"), given_numbers)
    twice = shaped(identity.shaped("c"), identity.cleaned("n"), f"select s as n from ({once})")
    assert engine.rows(f"select n, s from ({twice}) where n <> s") == []


@pytest.mark.parametrize("key", [b"k", b"a key of the usual length, 32 b.", b"l" * 200])
@pytest.mark.parametrize("text", ["", SOUND, "member:M1", "certificates|户·😀'\\x41"])
def test_pseudonyms_are_hmac_sha256(engine: Engine, key: bytes, text: str) -> None:
    engine.table("pseudonym_pad", identity.pad_select(key))
    try:
        found = engine.scalar(
            f"select {identity.pseudonym('t')} from (select cast(? as varchar) as t)", [text]
        )
    finally:
        engine.table("pseudonym_pad", identity.pad_select(KEY))
    assert found == hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_an_empty_key_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="YIHU_PSEUDONYM_KEY"):
        engine.table("pseudonym_pad", identity.pad_select(b""))


def test_the_key_is_in_no_model(tmp_path: Path) -> None:
    """It enters SQL in one statement only, so a logged or quoted model cannot give it away."""
    assert KEY.hex() not in identity.pseudonym("x")
    assert "pseudonym_pad" in identity.pseudonym("x")
