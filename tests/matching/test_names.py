"""Names: when two agree, as SQL on the engine."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.engines.duckdb import Engine
from warehouse import names

KINDS = ("traditional", "variant", "private_use", "compatibility")
COMMON_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史"
    "龙陶贺顾毛郝龚邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁蓝路游"
    "辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池"
    "查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈肖"
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"), threads=1)
    engine.table("name_variant", names.variants_select())
    yield engine
    engine.close()


def _row(name: str | None) -> str:
    literal = "cast(null as varchar)" if name is None else "'" + name.replace("'", "''") + "'"
    return f"""
        select *, {names.gap("name_key")} as name_gap from (
            select *, {names.key("f", "name_mask")} as name_key from (
                select f, {names.mask("f")} as name_mask
                    from (select {names.folded("n")} as f from (select {literal} as n)))
                        cross join name_variant)
    """


def agree(engine: Engine, one: str | None, other: str | None) -> str:
    select = f"select {names.agreement('a', 'b')} from ({{}}) as a cross join ({{}}) as b"
    there, back = (
        engine.scalar(select.format(_row(x), _row(y))) for x, y in ((one, other), (other, one))
    )
    assert there == back, "agreement does not depend on the side"
    return str(there)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张三", "张三"), ("张三", "张 三"), ("张三", " 张三\u3000"), ("张三", "张\u200b三"),
        ("張偉", "张伟"), ("陳國榮", "陈国荣"), ("劉強", "刘强"),
        ("买买提·吐尔逊", "买买提•吐尔逊"), ("买买提·吐尔逊", "买买提吐尔逊"),
        ("买买提·吐尔逊", "买买提．吐尔逊"), ("李峯", "李峰"), ("王羣", "王群"),
        ("赵堃", "赵坤"), ("john", "ＪＯＨＮ"), ("张㛃", "张□"), ("张㛃", "张?"), ("张㛃", "张？"),
        ("张㛃", "张jie"), ("张㛃", "张Jié"), ("张㛃", "张 (jie)"),
        ("张㛃红", "张□红"), ("㛃红", "?红"), ("王瑋", "王?"), ("赵堃", "赵kun"),
        ("张㛃", "张jie2"), ("张㛃", "张jie\u0301"), ("張㛃", "张□"), ("黄翀喆", "黄?喆"),
        ("王䶮", "王\ue863"), ("王\ue863", "王?"), ("㑇红", "\ue81b红"), ("张䲠飞", "张\ue858飞"),
        ("李\ue7c8", "李ǹ"),
        ("赵\ue855", "赵𤇾"), ("曺伟", "曹伟"), ("李𠮷", "李吉"), ("髙强", "高强"),
        ("王﨑", "王崎"), ("\uf92c平", "郎平"),
        ("王\u2f46", "王无"), ("\u2f9f平", "辛平"),
    ],
)  # fmt: skip
def test_the_same_name(engine: Engine, one: str, other: str) -> None:
    assert agree(engine, one, other) == "same"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张三", "李三"), ("张三", "张三丰"), ("张三", "三张"), ("张三", "张?"), ("张三", "张san"),
        ("张㛃", "张??"), ("张㛃㛃", "张??"), ("张㛃", "?㛃"), ("张㛃", "张□红"),
        ("张㛃", "李□"), ("张㛃", "张*"), ("王䶮", "王\ue862"), ("王\ue863", "王\ue864"),
        ("李\ue7c8", "李ḿ"), ("萧红", "肖红"), ("邱红", "丘红"), ("郁红", "余红"),
    ],
)  # fmt: skip
def test_different_names(engine: Engine, one: str, other: str) -> None:
    assert agree(engine, one, other) == "different"


@pytest.mark.parametrize("nothing", [None, "", "  ", "·", "\u200b"])
def test_no_name_is_absent(engine: Engine, nothing: str | None) -> None:
    assert agree(engine, nothing, "张三") == "absent"


def test_gb2312_has_6763_characters(engine: Engine) -> None:
    every = "".join(chr(code) for code in range(0x4E00, 0xA000))
    found = engine.scalar(
        f"select length(regexp_replace(?, '[^{names.gb2312()}]', '', 'g'))", [every]
    )
    assert found == 6763


def test_every_character_that_the_gbk_age_kept_in_private_use_has_its_own() -> None:
    """The 80 of GBK that Unicode lacked then, U+E815 to U+E864, in the order of their codes FE50 to
    FEA0.
    """
    with names.VARIANTS.open(encoding="utf-8", newline="") as file:
        private = {
            r["variant"]: r["standard"] for r in csv.DictReader(file) if r["kind"] == "private_use"
        }
    assert sorted(private) == [chr(code) for code in range(0xE815, 0xE865)]
    assert len(set(private.values())) == 80
    cells = [cell for cell in range(0x50, 0xA1) if cell != 0x7F]
    for code, cell in zip(range(0xE815, 0xE865), cells, strict=True):
        today = bytes([0xFE, cell]).decode("gb18030")
        assert today in (
            private[chr(code)],
            chr(code),
        ), "as GB 18030 has it, but for those that it keeps in private use"


def test_variants_lead_to_standard_characters_at_once() -> None:
    with names.VARIANTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sources = [row["variant"] for row in rows]
    assert len(sources) == len(set(sources)) >= 2_500
    assert not set(sources) & {row["standard"] for row in rows}, "no chains"
    assert all(
        len(row["variant"]) == len(row["standard"]) == 1 and row["kind"] in KINDS for row in rows
    )
    for source in sources:
        with pytest.raises(UnicodeEncodeError):
            source.encode("gb2312")


def test_no_two_common_surnames_collapse(engine: Engine) -> None:
    assert len(set(COMMON_SURNAMES)) > 330
    values = ", ".join(f"('{surname}')" for surname in sorted(set(COMMON_SURNAMES)))
    merged = engine.rows(
        f"select k, list(n) from ({_keys(f'select n from (values {values}) as t (n)')}) group by k"
        " having count(*) > 1"
    )
    assert merged == []


def test_names_longer_than_a_transcription(engine: Engine) -> None:
    assert agree(engine, "阿卜杜热西提阿卜杜热合曼江", "阿卜杜热西提·阿卜杜热合曼江") == "same"
    assert agree(engine, "阿卜杜熱西提·阿卜杜熱合曼強", "阿卜杜热西提·阿卜杜热合曼强") == "same", (
        "levelled beyond the twelfth character too"
    )
    assert agree(engine, "阿卜杜热西提·阿卜杜热合曼㛃", "阿卜杜热西提阿卜杜热合曼jiě") == "same"
    assert (
        agree(engine, "阿卜杜热西提·阿卜杜热合曼强", "阿卜杜热西提·阿卜杜热合曼江") == "different"
    )


def _keys(select: str) -> str:
    """Name and key of every name `n` that `select` gives."""
    folded = f"select n, {names.folded('n')} as f from ({select})"
    return (
        f"select n, {names.key('f', 'm')} as k from (select n, f, {names.mask('f')} as m from"
        f" ({folded})) cross join name_variant"
    )


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.text(alphabet="张三李伟龙龍強强㛃堃瑋?□·•. Aaāü（)(１3\u3000\u200b王", max_size=16),
        min_size=40,
        max_size=60,
    )
)
def test_levelling_twice_changes_nothing(engine: Engine, given_names: list[str]) -> None:
    values = ", ".join(f"('{name}')" for name in given_names)
    once = f"select k as n from ({_keys(f'select n from (values {values}) as t (n)')})"
    assert engine.rows(f"select n, k from ({_keys(once)}) where n <> k") == []


def test_masked(engine: Engine) -> None:
    select = f"select {names.masked('n')} from (select cast(? as varchar) as n)"
    assert [engine.scalar(select, [name]) for name in ("徐伟", " 欧阳修", None)] == [
        "徐*",
        "欧*",
        "*",
    ]
