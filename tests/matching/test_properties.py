"""Properties of matching on drawn counties: what survives, what never happens, what always adds
up.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.matching.county import County, Member, Record, number
from warehouse.matching import OUTCOMES

SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静丽强磊军洋㛃堃"
LETTERS = {"0": "Oo", "1": "IiLl", "8": "Bb", "5": "Ss", "2": "Zz"}

births = st.dates(min_value=date(1930, 1, 1), max_value=date(1999, 12, 31))
full_names = st.tuples(st.sampled_from(SURNAMES), st.text(GIVEN, min_size=1, max_size=2)).map(
    "".join
)


@st.composite
def populations(draw: st.DrawFn) -> list[Member]:
    """Up to 30 people; each has a number of their own, names may repeat."""
    people = draw(
        st.lists(
            st.tuples(
                births, st.integers(1, 999), st.sampled_from(["612422", "610921"]), full_names
            ),
            min_size=2,
            max_size=30,
        )
    )
    numbers = {
        number(born.strftime("%Y%m%d"), sequence, region): name
        for born, sequence, region, name in people
    }
    return [
        Member(f"m{i:03d}", name, n, f"H{i // 3}") for i, (n, name) in enumerate(numbers.items())
    ]


def _tidy_corruptions(text: str) -> st.SearchStrategy[str]:
    """What normalising undoes."""
    wide = text.translate({ord("0") + i: 0xFF10 + i for i in range(10)} | {ord("X"): "Ｘ"})
    cut = st.integers(1, 17)
    return st.one_of(
        st.just(wide), st.just("'" + text), st.just(text.lower()), st.just(f"\u3000{text}\n"),
        st.builds(lambda i, c: text[:i] + c + text[i:], cut,
            st.sampled_from([" ", "-", "\u200b", "\ufeff", "－", "\u2009"])),
        st.sampled_from("xＸ×*Х").map(lambda x: text[:17] + x if text.endswith("X") else text),
        st.just(text[:6] + text[8:17] if text[6:8] == "19" else text),
        st.sampled_from(["11", "43B1", "74b9"]).map(lambda suffix: text + suffix),
    )  # fmt: skip


def _repairable_corruptions(text: str) -> st.SearchStrategy[str]:
    """One look-alike letter or one adjacent swap."""
    letters = [(i, letter) for i, digit in enumerate(text) for letter in LETTERS.get(digit, "")]
    swaps = [i for i in range(17) if text[i] != text[i + 1]]
    kinds = [st.sampled_from(swaps).map(lambda i: text[:i] + text[i + 1] + text[i] + text[i + 2 :])]
    if letters:
        kinds.append(
            st.sampled_from(letters).map(
                lambda pair: text[: pair[0]] + pair[1] + text[pair[0] + 1 :]
            )
        )
    return st.one_of(kinds)


def _corruptions(text: str) -> st.SearchStrategy[str]:
    """Anything that happens to a number."""
    digit = st.builds(
        lambda i, d: text[:i] + d + text[i + 1 :],
        st.integers(0, 17),
        st.sampled_from("0123456789XOlB*"),
    )
    return st.one_of(
        _tidy_corruptions(text), _repairable_corruptions(text), digit,
        st.integers(0, 17).map(lambda i: text[:i] + text[i + 1 :]), st.just(text[:15] + "000"),
        st.just("999999" + text[6:]),
        digit.flatmap(lambda t: st.integers(0, 16).map(lambda i: t[:i] + t[i + 1] + t[i]
            + t[i + 2 :])), st.just(f"{text[0]}.{text[1:6]}E+17"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return County(tmp_path_factory.mktemp("county"))


slowly = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@slowly
@given(data=st.data())
def test_a_sound_number_survives_every_corruption_that_is_repairable(
    county: County, data: st.DataObject
) -> None:
    members = data.draw(populations())
    county.register(members)
    tidy = [Record(data.draw(_tidy_corruptions(str(m.id_number))), m.name) for m in members]
    repairable = [
        Record(data.draw(_repairable_corruptions(str(m.id_number))), m.name) for m in members
    ]
    answers = county.match([*tidy, *repairable])
    for member, answer in zip(members, answers, strict=False):
        assert (answer.member_id, answer.outcome) == (member.member_id, "linked")
    for member, answer in zip(members, answers[len(members) :], strict=True):
        if answer.outcome == "linked":
            assert (answer.member_id, answer.method) == (member.member_id, "repaired")
        else:
            assert answer.reason == "tie", "another person is one edit away, whatever their name"


@slowly
@given(data=st.data())
def test_no_corruption_links_to_another_person(county: County, data: st.DataObject) -> None:
    """With names of their own, nobody's corrupted number is ever taken for somebody else."""
    members = [
        Member(m.member_id, f"{m.name}{chr(0x5000 + i)}", m.id_number, m.household_id)
        for i, m in enumerate(data.draw(populations()))
    ]
    county.register(members)
    about = [data.draw(st.sampled_from(members)) for _ in range(30)]
    others = [data.draw(st.one_of(st.none(), st.sampled_from(members))) for _ in about]
    records = [
        Record(data.draw(_corruptions(str((o or m).id_number))), m.name)
        for m, o in zip(about, others, strict=True)
    ]
    for member, answer in zip(about, county.match(records), strict=True):
        assert answer.member_id in (None, member.member_id)


@slowly
@given(data=st.data())
def test_rows_are_the_sum_of_the_four_outcomes_for_any_input(
    county: County, data: st.DataObject
) -> None:
    members = data.draw(populations())
    doubled = [
        Member(f"{m.member_id}x", m.name, m.id_number, "H99", data.draw(st.sampled_from("123")))
        for m in members[::3]
    ]
    county.register([*members, *doubled])
    anything = st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=25
    )
    known = st.sampled_from(members)
    records = data.draw(
        st.lists(
            st.builds(
                Record,
                st.one_of(
                    st.none(),
                    anything,
                    known.map(lambda m: m.id_number),
                    known.flatmap(lambda m: _corruptions(str(m.id_number))),
                ),
                st.one_of(st.none(), anything, known.map(lambda m: m.name)),
            ),
            max_size=40,
        )
    )
    answers = county.match(records)
    assert len(answers) == len(records)
    for answer in answers:
        assert answer.outcome in OUTCOMES
        assert (
            (answer.outcome == "linked")
            == (answer.member_id is not None)
            == (answer.method is not None)
            == (answer.reason is None)
        )
    quality = county.quality()
    assert quality["in_force"] == len(records) == sum(quality[outcome] or 0 for outcome in OUTCOMES)


def test_two_engines_give_the_same(tmp_path: Path) -> None:
    """Nothing depends on the order of rows, or on chance."""
    members = [
        Member(f"m{i}", f"王{GIVEN[i % 10]}", number("19800101", 1 + i // 2), f"H{i}")
        for i in range(20)
    ]
    records = [Record(m.id_number, m.name) for m in members]
    first, second = County(tmp_path / "a", members), County(tmp_path / "b", reversed(members))
    for one in (first, second):
        one.match(records)
        one.queue()
    for table in (
        "person",
        "person_key_map",
        "review_queue",
        "review_candidate",
        "matched_civil_affairs__temporary_aid",
    ):
        assert first.table(table) == second.table(table)
