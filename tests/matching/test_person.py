"""The spine: who is a person, under which key, and how the key lasts from day to day."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from pathlib import Path

from tests.making import forget
from tests.matching.county import AS_OF, KEY, County, Member, Record, number

FIRST, SECOND = number("19800101", 11), number("19800101", 12)
NEXT_DAY, THIRD_DAY = date(2026, 11, 20), date(2026, 11, 21)


def key_of(text: str) -> str:
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


def persons(county: County) -> dict[str, dict[str, object]]:
    return {str(row["member_id"]): row for row in county.table("person")}


def test_one_row_per_member_row(tmp_path: Path) -> None:
    county = County(
        tmp_path,
        [
            Member("sound", "欧阳修", f" {FIRST[:6]}-{FIRST[6:]}"),
            Member("old", "张三", SECOND[:6] + SECOND[8:17]),
            Member("newborn", "李四", None),
            Member("placeholder", "王五", "999999201001010000"),
            Member("broken", "赵六", FIRST[:17] + "?"),
            Member("unborn", "孙七", number("20270101")),
        ],
    )
    found = persons(county)
    shown = {
        m: (r["id_state"], r["id_method"], r["name_masked"], r["birth_on"])
        for m, r in found.items()
    }
    born = date(1980, 1, 1)
    assert shown == {
        "sound": ("established", "exact", "欧*", born),
        "old": ("established", "upgraded", "张*", born),
        "newborn": ("placeholder", None, "李*", None),
        "placeholder": ("placeholder", None, "王*", None),
        "broken": ("placeholder", None, "赵*", None),
        "unborn": ("placeholder", None, "孙*", None),
    }
    keys = county.keys()
    assert keys["sound"] == key_of(FIRST)
    assert keys["old"] == key_of(SECOND)
    assert {m: keys[m] for m in ("newborn", "placeholder", "broken", "unborn")} == {
        m: key_of(f"member:{m}") for m in ("newborn", "placeholder", "broken", "unborn")
    }
    assert list(found["sound"]) == [
        "person_key", "member_id", "household_id", "status", "birth_on", "id_state", "id_method",
        "name_masked", "valid_from", "valid_until", "_arrived_on",
    ]  # fmt: skip
    assert found["sound"]["valid_from"] == AS_OF
    assert found["sound"]["valid_until"] is None


def test_two_who_claim_one_number(tmp_path: Path) -> None:
    county = County(
        tmp_path,
        [
            Member("a", "张三", FIRST),
            Member("b", "李四", FIRST, "H2"),
            Member("c", "王五", FIRST, "H3", status="2"),
        ],
    )
    found = persons(county)
    assert {m: r["id_state"] for m, r in found.items()} == {
        "a": "conflict",
        "b": "conflict",
        "c": "established",
    }
    assert [found[m]["valid_until"] is None for m in "abc"] == [True, True, False]
    assert county.keys() == {m: key_of(f"member:{m}") for m in "abc"}
    assert found["a"]["birth_on"] == date(1980, 1, 1)


def test_who_moved_keeps_the_key(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", FIRST, status="2"), Member("b", "张 三", FIRST, "H2")])
    assert county.keys() == {"a": key_of(FIRST), "b": key_of(FIRST)}
    assert county.match([Record(FIRST, "张三")])[0].member_id == "b"


def test_a_number_used_again_by_another_is_another_person(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", FIRST, status="3"), Member("b", "李四", FIRST, "H2")])
    assert county.keys() == {
        "a": key_of(FIRST),
        "b": key_of("member:b"),
    }, "the key was the first one's"


def test_a_newborn_keeps_the_key_when_the_number_appears(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", None)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", FIRST)])
    assert county.keys() == {"a": key_of("member:a")}
    assert persons(county)["a"]["id_state"] == "established"
    assert persons(county)["a"]["valid_from"] == AS_OF
    assert county.match([Record(FIRST, "张三")])[0].member_id == "a"


def test_both_numbers_of_a_person(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", SECOND)])
    county.next_day(THIRD_DAY)
    assert county.keys() == {"a": key_of(FIRST)}
    answers = county.match(
        [
            Record(FIRST, "张三"),
            Record(SECOND, "张三"),
            Record(FIRST, None),
            Record(FIRST, "李四"),
            Record(FIRST[:6] + FIRST[8:17], "张三"),
        ]
    )
    assert [(a.member_id, a.outcome, a.method, a.reason) for a in answers] == [
        ("a", "linked", "exact", None),
        ("a", "linked", "exact", None),
        ("a", "linked", "exact", None),
        (None, "ambiguous", None, "name_differs"),
        ("a", "linked", "upgraded", None),
    ]
    known = {
        (r["number_hash"], r["is_current"], r["first_seen_on"])
        for r in county.table("person_key_map")
    }
    assert known == {(key_of(FIRST), False, AS_OF), (key_of(SECOND), True, NEXT_DAY)}


def test_a_former_number_belongs_to_who_has_it_now(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", SECOND), Member("b", "李四", FIRST, "H2")])
    assert county.keys() == {"a": key_of(FIRST), "b": key_of("member:b")}
    answers = county.match([Record(FIRST, "李四"), Record(FIRST, "张三"), Record(SECOND, "张三")])
    assert [(a.member_id, a.reason) for a in answers] == [
        ("b", None),
        (None, "name_differs"),
        ("a", None),
    ]


def test_a_former_number_of_two_is_a_tie(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", SECOND), Member("b", "李四", FIRST, "H2")])
    county.next_day(THIRD_DAY)
    county.register([Member("a", "张三", SECOND), Member("b", "李四", number("19910101"), "H2")])
    answer = county.match([Record(FIRST, "张三")])[0]
    assert (answer.outcome, answer.reason) == ("ambiguous", "tie")


def test_who_left_and_came_back_is_the_same(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", None), Member("b", "李四", SECOND)])
    county.next_day(NEXT_DAY)
    county.register([Member("b", "李四", SECOND)])
    county.next_day(THIRD_DAY)
    county.register([Member("a", "张三", FIRST), Member("b", "李四", SECOND)])
    assert county.keys()["a"] == key_of("member:a")


def test_a_day_again_gives_the_same(tmp_path: Path) -> None:
    county = County(
        tmp_path,
        [Member("a", "张三", FIRST), Member("b", "李四", FIRST, "H2"), Member("c", "王五", None)],
    )
    county.next_day(NEXT_DAY)
    county.register(
        [
            Member("a", "张三", FIRST),
            Member("b", "李四", SECOND, "H2"),
            Member("c", "王五", number("20200101")),
        ]
    )
    before = {table: county.table(table) for table in ("person", "person_key_map")}
    county.build()
    assert {table: county.table(table) for table in before} == before


def test_no_identity_in_the_lakes_tables(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三丰", FIRST), Member("b", "李四", None)])
    text = str(county.table("person")) + str(county.table("person_key_map"))
    assert FIRST not in text
    assert "张三丰" not in text
    assert "三丰" not in text


def test_a_run_that_only_matches_finds_the_days_keys(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", None)])
    county.next_day(NEXT_DAY)
    county.register([Member("a", "张三", FIRST)])
    county.engine.execute("create table given as select * from person_key_map")
    county.engine.view("person_key_map", "select * from given")
    forget(county.engine)
    county.make("spine")
    assert county.engine.rows("select person_key from spine") == [(key_of("member:a"),)]
