"""The review queue, and what a steward's answer does."""

from __future__ import annotations

import hmac
from datetime import date
from pathlib import Path

import pytest

from tests.matching.county import AS_OF, KEY, County, Member, Record, number

FIRST, SECOND, TWICE = number("19800101", 11), number("19800101", 12), number("19900909", 9)
NEXT_DAY, THIRD_DAY = date(2026, 11, 20), date(2026, 11, 21)
RECORDS = [
    Record(FIRST, "李四", "differs"),
    Record(SECOND, "张三", "proposed"),
    Record(TWICE, "王五", "conflict"),
    Record(FIRST, "张三", "fine"),
]


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County(
        tmp_path,
        [
            Member("a", "张三", FIRST),
            Member("b", "王五", TWICE, "H2"),
            Member("c", "王六", TWICE, "H3"),
            Member("d", "李四", None, "H3"),
        ],
    )


def ask(county: County, records: list[Record] | None = None) -> dict[str, dict[str, object]]:
    """The questions by record key, the register's by `register`."""
    county.match(records or RECORDS)
    return {
        "register" if row["records"] == "members" else str(row["record_id"]): row
        for row in county.queue()
    }


def test_what_is_asked(county: County) -> None:
    asked, keys = ask(county), county.keys()
    assert {
        key: (row["outcome"], row["reason"], row["candidates"]) for key, row in asked.items()
    } == {
        "differs": ("ambiguous", "name_differs", [keys["a"]]),
        "proposed": ("unregistered", "not_registered", [keys["a"]]),
        "conflict": ("ambiguous", "register_conflict", sorted([keys["b"], keys["c"]])),
        "register": ("ambiguous", "register_conflict", sorted([keys["b"], keys["c"]])),
    }
    assert {row["first_seen_on"] for row in asked.values()} == {AS_OF}
    assert not any(
        secret in str(asked) for secret in (FIRST, SECOND, TWICE, "张三", "李四", "王五")
    )


def test_candidates_side_by_side_for_the_vault(county: County) -> None:
    asked = ask(county)
    rows = [
        row
        for row in county.table("review_candidate")
        if row["queue_id"] == asked["differs"]["queue_id"]
    ]
    assert [
        (
            r["position"],
            r["member_id"],
            r["id_number"],
            r["name"],
            r["record_id_number"],
            r["record_name"],
            r["rule"],
        )
        for r in rows
    ] == [(1, "a", FIRST, "张三", FIRST, "李四", "holder")]
    assert {r["queue_id"] for r in county.table("review_candidate")} == {
        row["queue_id"] for row in asked.values()
    }


def test_one_digit_off_and_the_same_name_is_proposed(county: County) -> None:
    off = FIRST[:9] + str((int(FIRST[9]) + 1) % 10) + FIRST[10:]
    asked = ask(county, [Record(off, "张三", "off"), Record(off, "王五", "other")])
    assert asked["off"]["reason"] == "check_failed"
    assert asked["off"]["candidates"] == [county.keys()["a"]]
    assert "other" not in asked
    assert {
        r["rule"]
        for r in county.table("review_candidate")
        if r["queue_id"] == asked["off"]["queue_id"]
    } == {"one_digit_off"}


def test_a_proposal_changes_no_outcome(county: County) -> None:
    assert [
        a.outcome
        for a in county.match([Record(SECOND, "张三"), Record("999999198001011234", "张三")])
    ] == [
        "unregistered",
        "unidentifiable",
    ]


def test_questions_keep_their_id_and_first_day(county: County) -> None:
    before = ask(county)
    county.next_day(NEXT_DAY)
    after = ask(county)
    assert after == before, "the same questions, first seen on the first day"
    corrected = ask(county, [Record(SECOND, "李四", "differs")])
    assert corrected.get("differs", {}).get("queue_id") != before["differs"]["queue_id"], (
        "a corrected record is another question"
    )


SPELT = [
    (f"{FIRST} ", "李四"), (FIRST, " 李四\t"), (f"'{FIRST}", "李 四"), (FIRST, '="李四"'),
    (FIRST, "\u200b李四"), (FIRST.translate({ord("0") + n: 0xFF10 + n for n in range(10)}), "李四"),
    (f"{FIRST[:6]} {FIRST[6:14]}-{FIRST[14:]}", "李四\u3000"),
]  # fmt: skip


def id_of(spelt: str, name: str) -> str:
    """The id that the question had when it was made of the text as it was delivered."""
    text = f"queue|temporary_aid|differs|{len(spelt)}|{spelt}{name}"
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


def test_a_question_keeps_its_id_however_number_and_name_are_spelt(county: County) -> None:
    tidy = ask(county)["differs"]
    assert tidy["queue_id"] == id_of(FIRST, "李四"), "the ids of all days are made so"
    for record in (Record(spelt, name, "differs") for spelt, name in SPELT):
        assert ask(county, [record])["differs"]["queue_id"] == tidy["queue_id"], record
    for record in (Record(FIRST, "李似", "differs"), Record(FIRST[:-1], "李四", "differs")):
        assert ask(county, [record]).get("differs", {}).get("queue_id") != tidy["queue_id"], record


@pytest.mark.parametrize(("spelt", "name"), [SPELT[0], SPELT[1]])
def test_an_answer_to_a_question_under_its_former_id_counts(
    county: County, spelt: str, name: str
) -> None:
    """As long as the state holds the untidy text; with the next release the answer goes to the id
    that the question has now."""
    keys, former = county.keys(), id_of(spelt, name)
    record = [Record(spelt, name, "differs")]
    now = str(ask(county, record)["differs"]["queue_id"])
    assert former != now
    county.next_day(NEXT_DAY)
    county.decide((former, "link", keys["d"], "steward_1"))
    county.build()
    assert [(a.member_id, a.method) for a in county.match(record)] == [("d", "decided")]
    assert "differs" not in ask(county, record)
    county.decide((former, "link", keys["d"], "steward_1"), (now, "link", keys["a"], "steward_1"))
    county.build()
    assert county.match(record)[0].member_id == "a", (
        "an answer to the question as it is now comes first"
    )


def test_an_answer_links_and_is_never_asked_again(county: County) -> None:
    asked, keys = ask(county), county.keys()
    county.next_day(NEXT_DAY)
    county.decide(
        (str(asked["differs"]["queue_id"]), "link", keys["d"], "steward_1"),
        (str(asked["proposed"]["queue_id"]), "unregistered", None, "steward_1"),
    )
    county.build()
    answers = county.match(RECORDS)
    assert [(a.member_id, a.outcome, a.method) for a in answers] == [
        ("d", "linked", "decided"), (None, "unregistered", "decided"), (None, "ambiguous", None),
        ("a", "linked", "exact"),
    ]  # fmt: skip
    assert set(ask(county)) == {"conflict", "register"}
    assert county.quality()["by_decided"] == 2


def test_the_latest_answer_counts(county: County) -> None:
    asked, keys = ask(county), county.keys()
    question = str(asked["differs"]["queue_id"])
    county.next_day(NEXT_DAY)
    county.decide(
        (question, "link", keys["a"], "steward_1"), (question, "link", keys["d"], "steward_2")
    )
    county.build()
    assert county.match(RECORDS)[0].member_id == "d"


def test_a_merge_of_register_rows_needs_two_stewards(county: County) -> None:
    asked, keys = ask(county), county.keys()
    question = str(asked["register"]["queue_id"])
    county.next_day(NEXT_DAY)
    for stewards in (["steward_1"], ["steward_1", "steward_1"]):
        county.decide(*((question, "merge", keys["b"], steward) for steward in stewards))
        county.build()
        assert county.match(RECORDS)[2].reason == "register_conflict"
        assert "register" in ask(county)
    county.decide(
        (question, "merge", keys["b"], "steward_1"), (question, "merge", keys["b"], "steward_2")
    )
    for day in (NEXT_DAY, THIRD_DAY):
        county.as_of = day
        county.build()
        assert county.match(RECORDS)[2].member_id == "b"
        assert set(ask(county)) == {"differs", "proposed"}
        persons = {row["member_id"]: row for row in county.table("person")}
        assert persons["b"]["person_key"] == persons["c"]["person_key"] == keys["b"], (
            "one person, one key"
        )
        assert (persons["b"]["status"], persons["c"]["status"]) == (
            "1",
            "2",
        ), "one household counts the person"
        assert {persons[m]["id_state"] for m in "bc"} == {"established"}
        county.next_day(THIRD_DAY)


def test_two_persons_kept_apart(county: County) -> None:
    asked, keys = ask(county), county.keys()
    county.next_day(NEXT_DAY)
    county.decide((str(asked["register"]["queue_id"]), "keep_apart", keys["c"], "steward_1"))
    county.build()
    assert [
        (a.member_id, a.reason)
        for a in county.match([Record(TWICE, "王六"), Record(TWICE, "王五")])
    ] == [
        ("c", None),
        (None, "name_differs"),
    ]
    persons = {row["member_id"]: row for row in county.table("person")}
    assert (persons["b"]["id_state"], persons["c"]["id_state"]) == ("placeholder", "established")
    assert persons["b"]["status"] == persons["c"]["status"] == "1"
    assert persons["b"]["person_key"] != persons["c"]["person_key"]


def test_a_third_claimant_is_a_new_question(county: County) -> None:
    asked, keys = ask(county), county.keys()
    county.next_day(NEXT_DAY)
    county.decide((str(asked["register"]["queue_id"]), "keep_apart", keys["c"], "steward_1"))
    county.register(
        [
            Member("b", "王五", TWICE, "H2"),
            Member("c", "王六", TWICE, "H3"),
            Member("e", "王七", TWICE, "H4"),
            Member("a", "张三", FIRST),
        ]
    )
    assert ask(county)["register"]["queue_id"] != asked["register"]["queue_id"]


def test_a_changed_number_is_the_same_person_once_two_stewards_say_so(county: County) -> None:
    asked, keys = ask(county), county.keys()
    question = str(asked["proposed"]["queue_id"])
    county.next_day(NEXT_DAY)
    county.decide(
        (question, "merge", keys["a"], "steward_1"), (question, "merge", keys["a"], "steward_2")
    )
    county.build()
    other = Record(SECOND, "张三", "another record of that number")
    assert [
        (a.member_id, a.method) for a in county.match([RECORDS[1], other, Record(FIRST, "张三")])
    ] == [("a", "exact")] * 3
    county.queue()
    county.next_day(THIRD_DAY)
    assert county.match([other])[0].member_id == "a", "remembered by the map from then on"
    county.register([Member("a", "张三", SECOND)])
    assert county.keys() == {"a": keys["a"]}
    assert [a.member_id for a in county.match([Record(FIRST, "张三"), other])] == ["a", "a"]


def test_the_queue_can_be_made_without_matching_first(county: County) -> None:
    asked = ask(county)
    assert {row["queue_id"] for row in county.queue()} == {
        row["queue_id"] for row in asked.values()
    }


DOUBTED_FROM = date(2026, 11, 25)


def test_who_has_the_name_in_the_holders_household_is_proposed(tmp_path: Path) -> None:
    """A sound number under another name is mostly a relative's: from 2026-11-25 on they are
    shown.
    """
    register = [
        Member("a", "张三", FIRST),
        Member("b", "李四", None),
        Member("c", "李四", number("19750505", 3), status="2"),
        Member("d", "李四", TWICE, "H2"),
    ]
    records = [
        Record(FIRST, "李四", "relative"),
        Record(FIRST, "王五", "stranger"),
        Record(FIRST, "张三", "fine"),
    ]
    for as_of, related in ((AS_OF, set()), (DOUBTED_FROM, {"b", "c"})):
        county = County(tmp_path / str(as_of), register, as_of)
        outcomes = [(answer.outcome, answer.reason) for answer in county.match(records)]
        assert outcomes == [
            ("ambiguous", "name_differs"),
            ("ambiguous", "name_differs"),
            ("linked", None),
        ]
        asked = {str(row["record_id"]): str(row["queue_id"]) for row in county.queue()}
        shown = [
            (row["queue_id"], row["member_id"], row["rule"])
            for row in county.table("review_candidate")
        ]
        assert {(m, rule) for queue, m, rule in shown if queue == asked["relative"]} == {
            ("a", "holder"), *((member, "named_in_household") for member in related),
        }  # fmt: skip
        assert {(m, rule) for queue, m, rule in shown if queue == asked["stranger"]} == {
            ("a", "holder")
        }
        assert set(asked) == {"relative", "stranger"}


def test_a_relative_who_was_proposed_can_be_answered(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张三", FIRST), Member("b", "李四", None)], DOUBTED_FROM)
    records = [Record(FIRST, "李四", "relative")]
    asked, keys = ask(county, records), county.keys()
    assert sorted(
        str(key)
        for key in asked["relative"]["candidates"]  # type: ignore[attr-defined]
    ) == sorted(keys.values())
    county.next_day(date(2026, 11, 26))
    county.decide((str(asked["relative"]["queue_id"]), "link", keys["b"], "steward_1"))
    county.build()
    (answer,) = county.match(records)
    assert (answer.member_id, answer.outcome, answer.method) == ("b", "linked", "decided")
