"""Expressions where the engines might part: odd text, edges of numbers and dates, empty groups,
nulls in an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jinja2
import pytest

from resources.engines.duckdb import Engine, EngineError
from resources.engines.spark import SparkEngine
from warehouse import identity, names
from warehouse.model import MODELS

NUMBERS = (
    "610921198503011235", " 61092119850301123x", "610921198503011235\n",
    "６１０９２１１９８５０３０１１２３５", "'610921850301123", "610921850301123",
    "61092119850301123*", "6.10921E+17", "610921198502301235", "610921000003011235",
    "610921189912311235", "610921209912311235", "999999198503011235",
    "111111111111111111", "610921850301123000", "61O921198503011235", "6I092119850301l235",
    "61092119850301123544", "61092119850301123544B1", "", "-",
    "61092119850301123５", "\u200b610921198503011235\ufeff", "61092119850301123\U0001f600",
    "𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷", "610921-1985-0301-1235", "+10921198503011235",
    "12345678901234567890", "\t\r\n\x0b\x85\u2028", "6109211985030１1235 ", "a.b",
    "00000000000000000X",
)  # fmt: skip
NAMES = (
    "徐小明", "徐 小 明", "徐·小明", "徐•小明", "買買提·阿不都", "𠮷田", "𠮷", "徐□", "徐?", "徐？",
    "徐YAN1", "徐(yan)", "Xú Xiǎo", "ＸＵ", "龍", "龙", "喆", "",
    " ", "王\n明", "王\u0085明", "王\u2028明", "\U0001f600", "a'b", 'a"b\\c',
    "一二三四五六七八九十甲乙丙丁", "㛃", "（王）", "null",
)  # fmt: skip
MONEY = (
    "0",
    "0.01",
    "-0.01",
    "0.05",
    "1",
    "3",
    "-3",
    "7.77",
    "99999999999999.99",
    "-99999999999999.99",
    "0.02",
    "12345678.91",
    "2",
    "1000000",
)


def _values(texts: tuple[str, ...]) -> str:
    return (
        ", ".join(f"({place}, {identity.literal(text)})" for place, text in enumerate(texts))
        + f", ({len(texts)}, null)"
    )


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, SparkEngine]]:
    folder = tmp_path_factory.mktemp("dialect")
    duckdb, spark = Engine(folder / "duckdb"), SparkEngine(folder / "spark", "local[2]")
    for engine in (duckdb, spark):
        engine.table("pseudonym_pad", identity.pad_select(b"a key for tests, of 32 characters"))
        engine.table("name_variant", names.variants_select())
        engine.table(
            "number", f"select place, text from (values {_values(NUMBERS)}) as entry(place, text)"
        )
        engine.table(
            "person_name",
            f"select place, text from (values {_values(NAMES)}) as entry(place, text)",
        )
        engine.table(
            "money",
            f"select cast(text as decimal(18,2)) as yuan from (values {_values(MONEY)}) as"
            " entry(place, text)",
        )
    yield duckdb, spark
    duckdb.close()
    spark.close()


def same(engines: tuple[Engine, SparkEngine], sql: str) -> None:
    """Both engines give the same rows, of the same types."""
    duckdb, spark = engines
    ours, theirs = duckdb.rows(sql), spark.rows(sql)
    unlike = [
        (one, other) for one, other in zip(ours, theirs, strict=True) if repr(one) != repr(other)
    ]
    assert unlike == []


def _pair(sql: str, table: str = "number") -> str:
    return f"select place, {sql} as found from {table} order by place"


@pytest.mark.parametrize(
    "expression",
    [
        identity.cleaned("text"),
        f"{identity.form('c')}",
        f"{identity.shaped('c')}",
        f"{identity.passes_check('n', 'x')}",
        f"{identity.problem('n', 'f', 'date ' + repr('2026-11-20'), 'x')}",
        (
            f"case when substr(n, 7, 4) >= '1900' and {identity.is_well_formed('n')} then"
            f" {identity.birth_on('n')} end"
        ),
        f"{identity.is_clipped('n', 'f')}",
        f"{identity.look_alike_mended('c')}",
        f"{identity.swapped('c', '3')}",
        identity.pseudonym("text"),
    ],
    ids=[
        "cleaned",
        "form",
        "shaped",
        "check",
        "problem",
        "birth_on",
        "clipped",
        "look_alike",
        "swapped",
        "pseudonym",
    ],
)
def test_id_numbers(engines: tuple[Engine, SparkEngine], expression: str) -> None:
    cleaned = f"(select place, text, {identity.cleaned('text')} as c from number) as a"
    shaped = (
        f"(select *, {identity.shaped('c')} as n, {identity.form('c')} as f from {cleaned}) as b"
    )
    checked = f"(select *, {identity.check_character('n')} as x from {shaped}) as d"
    same(engines, f"select place, {expression} as found from {checked} order by place")


def test_names(engines: tuple[Engine, SparkEngine]) -> None:
    folded = f"(select place, text, {names.folded('text')} as f from person_name) as a"
    masked = f"(select *, {names.mask('f')} as name_mask from {folded}) as b"
    keyed = (
        f"(select b.*, {names.key('f', 'name_mask')} as name_key from {masked} cross join"
        " name_variant) as c"
    )
    gapped = (
        f"(select *, {names.gap('name_key')} as name_gap, {names.masked('text')} as masked from"
        f" {keyed})"
    )
    same(engines, f"select * from {gapped} as d order by place")
    same(
        engines,
        f"select p.place, q.place as other, {names.agreement('p', 'q')} as agreement from {gapped}"
        f" as p cross join {gapped} as q order by 1, 2",
    )


def _macro(call: str) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(MODELS), autoescape=False)
    imported = (
        '{% from "indicators/exact.jinja" import ratio, yuan, share_of, six_places %}{% from'
        ' "following/json.jinja" import text %}'
    )
    return environment.from_string(f"{imported}{{{{ {call} }}}}").render()


@pytest.mark.parametrize(
    "call", ['ratio("a.yuan", "b.yuan")', 'ratio("a.yuan", "b.yuan", 2)', 'yuan("a.yuan + b.yuan")']
)
def test_exact_arithmetic(engines: tuple[Engine, SparkEngine], call: str) -> None:
    same(
        engines,
        f"select a.yuan, b.yuan, {_macro(call)} as found from money as a cross join money as b"
        " order by 1, 2",
    )


def test_shares(engines: tuple[Engine, SparkEngine]) -> None:
    share, rounded = _macro('share_of("least(a.n, b.n)", "b.n")'), _macro('six_places("x")')
    counts = (
        "(select cast(floor(abs(yuan)) as bigint) as n from money where abs(yuan) < 2000000) as"
    )
    same(
        engines,
        f"select a.n, b.n, {share} as found from {counts} a cross join {counts} b order by 1, 2",
    )
    sixths = "(select cast(place as double) / 31 as x from number) as d"
    same(engines, f"select {rounded} as found from {sixths} order by 1")


def test_json_text(engines: tuple[Engine, SparkEngine]) -> None:
    same(engines, _pair(_macro('text("text")'), "person_name"))
    same(engines, _pair(_macro('text("text")')))


@pytest.mark.parametrize(
    "sql",
    [
        (
            "select concat('a', text, null, 'b') as x, concat_ws(',', text, null, 'b') as y, text"
            " || 'z' as z from number order by place"
        ),
        (
            "select length(text), left(text, 3), right(text, 3), substr(text, 2, 2), substr(text,"
            " 19), strpos(text, '1') from person_name order by place"
        ),
        "select text from person_name order by text",
        "select text from person_name order by text desc, place",
        (
            "select place, row_number() over (order by text, place) as n, row_number() over (order"
            " by text desc, place) as d from number order by 1"
        ),
        (
            "select lpad(cast(place as varchar), 2, '0') as p, repeat('ab', place % 3) as r,"
            " chr(92) as c, replace(text, '1', '') as s from number order by place"
        ),
        (
            "select list_sort(list(distinct left(text, 1)) filter (where text is not null)) as l,"
            " count(*) filter (where text > '6') as n from number"
        ),
        (
            "select coalesce(list_sort(list(text) filter (where text = 'nobody')), cast([] as"
            " varchar[])) as l from number"
        ),
        "select array_to_string(list_sort(list(text)), ',') as l from person_name",
        (
            "select list_contains(string_split('a,b,c', ','), 'b') as x, string_split('a.b', '.')"
            " as y, string_split('a', ',') as z"
        ),
        (
            "select list_transform(list_sort(list(text)), lambda k: substr(k, 2)) as l from number"
            " where text is not null"
        ),
        (
            "select regexp_matches(text, '^.{18}$') as a, regexp_matches(text, '^[^0-9]+$') as b,"
            " regexp_matches(text, 'X$') as c from number order by place"
        ),
        (
            "select date_diff('day', date '2024-02-28', date '2024-03-01') as a, year(date"
            " '2024-02-29') as y, month(date '2024-02-29') as m"
        ),
        (
            "select try_cast(text as date) as d, try_cast(left(text, 17) as bigint) as n from"
            " number where text not like '%E%' order by place"
        ),
        (
            "select cast(sum(yuan) as decimal(38,2)) as s, min(yuan) as a, max(yuan) as b,"
            " count(distinct yuan) as n from money"
        ),
        (
            "select yuan, cast(yuan * 0.1 as decimal(18,2)) as tenth, cast(-yuan * 0.005 as"
            " decimal(18,2)) as half from money order by yuan"
        ),
        (
            "select cast(yuan as varchar) as t, cast(true as varchar) as b, cast(date '2026-11-20'"
            " as varchar) as d from money order by yuan"
        ),
        (
            "select cast(timestamp '2026-11-20 23:59:59' as date) as d, cast(timestamp '2026-11-20"
            " 08:00:00' as varchar) as t"
        ),
        "select 7 // 2 as a, -7 % 3 as b, least(1, null, 2) as c, greatest(null, 3) as d",
        (
            "select a.place from number as a where a.text is not distinct from null or a.text is"
            " distinct from a.text order by 1"
        ),
        "select array_slice(list_sort(list(text)), 1, 3) as l from number",
        (
            "select place, unnest(case when place % 3 > 0 then string_split(text, '1') end) as part"
            " from number order by place, part"
        ),
        "select unnest(cast([] as varchar[])) as part",
        "select sha256(text) as h, hex(text) as x from person_name order by place",
        "select sha256(unhex('36ff00') || encode(text)) as h from person_name order by place",
    ],
)
def test_statements(engines: tuple[Engine, SparkEngine], sql: str) -> None:
    same(engines, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(text as bigint) from number",
        "select cast(99999 * yuan * 1000000 as decimal(12,2)) from money",
    ],
)
def test_what_does_not_fit_is_an_error_that_tells_no_value(
    engines: tuple[Engine, SparkEngine], capfd: pytest.CaptureFixture[str], sql: str
) -> None:
    for engine in engines:
        with pytest.raises(EngineError) as raised:
            engine.rows(sql)
        said = f"{raised.value}{raised.value.__cause__}{''.join(capfd.readouterr())}"
        assert not any(text in said for text in ("610921", "６１", "99999999"))


def test_a_file_is_written_in_its_order(
    engines: tuple[Engine, SparkEngine], tmp_path: Path
) -> None:
    select = (
        "select place, text, date '2026-11-20' as seen_on, [text] as texts from number order by"
        " text desc nulls first, place"
    )
    for engine, name in zip(engines, ("duckdb", "spark"), strict=True):
        assert engine.copy(select, tmp_path / name) == len(NUMBERS) + 1
    ours, theirs = (
        engines[0].rows(f"select * from read_parquet('{tmp_path / name}')")
        for name in ("duckdb", "spark")
    )
    assert ours == theirs
    assert ours[1][2] == date(2026, 11, 20)
    assert (tmp_path / "spark").stat().st_mode & 0o777 == 0o600
