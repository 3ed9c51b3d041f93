"""Every rule of matching on hand-made rows: what becomes of a record, and what leaves."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from datetime import date
from pathlib import Path

import pytest

from expectations.contract import Contract, Field, contract_for, load_contracts
from tests.matching.county import KEY, Answer, County, Member, Record, number
from warehouse.graph.registry import order_of
from warehouse.graph.runner import ModelError
from warehouse.matching import MATCHED_COLUMNS, METHODS, OUTCOMES, REASONS, MatchingError

ZHANG, LI, WANG = number("19800101", 11), number("19900202", 22), number("19700303", 33)
HEAD_X = next(n for n in (number("19751231", i) for i in range(1, 200)) if n.endswith("X"))
CLIPPED = next(n for n in (number("19650505", i) for i in range(0, 1000, 100)) if n.endswith("000"))
TWICE = number("19850808", 88)
NOBODY = number("19600606", 66)

MEMBERS = [
    Member("zhang", "张伟", ZHANG, "H1"),
    Member("li", "李娜", LI, "H1"),
    Member("wang", "王㛃", WANG, "H2"),
    Member("x", "陈强", HEAD_X, "H3"),
    Member("clipped", "赵云", CLIPPED, "H3"),
    Member("twice_a", "周一", TWICE, "H4"),
    Member("twice_b", "周二", TWICE, "H5"),
    Member("old", "孙老", number("19400101", 1), "H6", status="3"),
    Member("moved", "吴迁", number("19770707", 77), "H6", status="2"),
    Member("moved_again", "吴迁", number("19770707", 77), "H7"),
    Member("newborn", "新儿", None, "H7"),
]


def swap(text: str, place: int) -> str:
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]


def change(text: str, place: int) -> str:
    return text[: place - 1] + str((int(text[place - 1]) + 1) % 10) + text[place:]


def differing_place(text: str, start: int = 1) -> int:
    return next(i for i in range(start, 17) if text[i - 1] != text[i])


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return County(tmp_path_factory.mktemp("county"), MEMBERS)


def linked(member: str, method: str, agreement: str = "same") -> Answer:
    return Answer(member, "linked", method, agreement, None)


def ambiguous(reason: str, agreement: str | None) -> Answer:
    return Answer(None, "ambiguous", None, agreement, reason)


def unidentifiable(reason: str) -> Answer:
    return Answer(None, "unidentifiable", None, None, reason)


UNREGISTERED = Answer(None, "unregistered", None, None, "not_registered")

CASES: dict[str, tuple[Record, Answer]] = {
    "a sound number and the name": (Record(ZHANG, "张伟"), linked("zhang", "exact")),
    "a sound number without a name": (Record(ZHANG, None), linked("zhang", "exact", "absent")),
    "a blank name is none": (Record(ZHANG, " · "), linked("zhang", "exact", "absent")),
    "spaces in number and name": (Record(f" {ZHANG[:6]} {ZHANG[6:]}", "张 伟"),
        linked("zhang", "exact")),
    "traditional characters": (Record(ZHANG, "張偉"), linked("zhang", "exact")),
    "a stand-in for a rare character": (Record(WANG, "王?"), linked("wang", "exact")),
    "fifteen digits": (Record(ZHANG[:6] + ZHANG[8:17], "张伟"), linked("zhang", "upgraded")),
    "fifteen digits without a name": (Record(ZHANG[:6] + ZHANG[8:17], None),
        linked("zhang", "upgraded", "absent")),
    "a certificate number": (Record(LI + "43B2", "李娜"), linked("li", "certificate")),
    "any x": (Record(HEAD_X[:17] + "×", "陈强"), linked("x", "exact")),
    "the dead keep their number": (Record(number("19400101", 1), "孙老"), linked("old", "exact")),
    "of two rows the active one": (Record(number("19770707", 77), "吴迁"),
        linked("moved_again", "exact")),
    "a relative's number": (Record(LI, "张伟"), ambiguous("name_differs", "different")),
    "a wrong name on fifteen digits": (Record(ZHANG[:6] + ZHANG[8:17], "李娜"),
        ambiguous("name_differs", "different")),
    "two active rows": (Record(TWICE, "周一"), ambiguous("register_conflict", "same")),
    "two active rows, no name": (Record(TWICE, None), ambiguous("register_conflict", "absent")),
    "two active rows, a third name": (Record(TWICE, "周三"),
        ambiguous("register_conflict", "different")),
    "nobody's number": (Record(NOBODY, "张伟"), UNREGISTERED),
    "nobody's fifteen digits": (Record(NOBODY[:6] + NOBODY[8:17], "张伟"), UNREGISTERED),
    "nobody's certificate": (Record(NOBODY + "11", "张伟"), UNREGISTERED),
    "no number": (Record(None, "张伟"), unidentifiable("empty")),
    "a placeholder": (Record("999999198001010011", "张伟"), unidentifiable("placeholder")),
    "scientific notation": (Record("6.12422E+17", "张伟"), unidentifiable("scientific_notation")),
    "a passport": (Record("G12345678", "张伟"), unidentifiable("damaged")),
    "no calendar date": (Record(number("19900230"), "张伟"), unidentifiable("not_a_date")),
    "an unborn": (Record(number("20270101"), "张伟"), unidentifiable("birth_in_future")),
    "a clipped number of somebody of this name": (Record(CLIPPED, "赵云"),
        linked("clipped", "exact")),
    "a clipped number without a name": (Record(CLIPPED, None), unidentifiable("precision_lost")),
    "a clipped number of somebody else": (Record(CLIPPED, "张伟"),
        unidentifiable("precision_lost")),
    "a clipped number": (Record(ZHANG[:15] + "000", "张伟"), unidentifiable("precision_lost")),
    "a look-alike": (Record(ZHANG.replace("0", "O", 1), "张伟"), linked("zhang", "repaired")),
    "a look-alike in lower case": (Record(ZHANG[:6] + "l" + ZHANG[7:], "张伟"),
        linked("zhang", "repaired")),
    "a look-alike in a certificate": (Record(LI.replace("2", "z", 1) + "43", "李娜"),
        linked("li", "repaired")),
    "two look-alikes": (Record(ZHANG.replace("0", "O", 2), "张伟"), unidentifiable("damaged")),
    "a look-alike in fifteen digits": (Record((ZHANG[:6] + ZHANG[8:17]).replace("1", "I", 1),
        "张伟"), unidentifiable("damaged")),
    "a look-alike under another name": (Record(ZHANG.replace("0", "O", 1), "李娜"),
        unidentifiable("damaged")),
    "a look-alike without a name": (Record(ZHANG.replace("0", "O", 1), None),
        unidentifiable("damaged")),
    "a digit that looks alike": (Record(swap(ZHANG, 1).replace("1", "8", 1), "张伟"),
        unidentifiable("check_failed")),
    "a swap": (Record(swap(ZHANG, differing_place(ZHANG, 7)), "张伟"), linked("zhang", "repaired")),
    "a swap with the X": (Record(swap(HEAD_X, 17), "陈强"), linked("x", "repaired")),
    "a swap under a stand-in": (Record(swap(WANG, differing_place(WANG, 7)), "王□"),
        linked("wang", "repaired")),
    "a swap under another name": (Record(swap(ZHANG, differing_place(ZHANG, 7)), "李娜"),
        unidentifiable("check_failed")),
    "a swap of a number that two claim": (Record(swap(TWICE, differing_place(TWICE, 7)), "周一"),
        ambiguous("tie", "same")),
    "a wrong digit": (Record(change(ZHANG, 16), "张伟"), unidentifiable("check_failed")),
}  # fmt: skip


def test_every_rule(county: County) -> None:
    found = county.match([record for record, _ in CASES.values()])
    wrong = {
        case: (answer, was)
        for (case, (_, answer)), was in zip(CASES.items(), found, strict=True)
        if answer != was
    }
    assert wrong == {}


def test_outcomes_methods_and_reasons_are_known(county: County) -> None:
    for answer in county.match([record for record, _ in CASES.values()]):
        assert answer.outcome in OUTCOMES
        assert answer.method in (*METHODS, None)
        assert answer.reason in (*REASONS, None)


def test_two_people_one_edit_away_are_a_tie(tmp_path: Path) -> None:
    first, damaged, second = _neighbours()
    county = County(tmp_path, [Member("a", "张伟", first), Member("b", "李娜", second, "H2")])
    assert county.match([Record(damaged, "张伟"), Record(damaged, "李娜"),
        Record(damaged, "王五")]) == [
        ambiguous("tie", "same"), ambiguous("tie", "same"), unidentifiable("check_failed"),
    ]  # fmt: skip


def _is_sound(text: str) -> bool:
    if (
        not text[:17].isdigit()
        or not "1900" <= text[6:10] <= "2025"
        or not "01" <= text[10:12] <= "12"
        or not "01" <= text[12:14] <= "28"
    ):
        return False
    return number(text[6:14], int(text[14:17]), text[:6]) == text


def _neighbours() -> tuple[str, str, str]:
    """Two sound numbers that are each one swap away from a third, which is not sound."""
    for day in range(10, 29):
        for sequence in range(1, 1000):
            first = number(f"198010{day}", sequence)
            if "X" in first:
                continue
            for i in range(1, 18):
                damaged = swap(first, i)
                if damaged == first:
                    continue
                for j in range(1, 18):
                    second = swap(damaged, j)
                    if second not in (first, damaged) and _is_sound(second):
                        return first, damaged, second
    raise AssertionError("no neighbours")


def test_conservation_and_columns_of_every_type(county: County) -> None:
    for contract in load_contracts():
        if contract.department == "rural_revitalisation":
            continue
        county.deliver(contract, [])
    for contract in load_contracts():
        assert county.build_matched(contract) == county.engine.scalar(
            f'select count(*) from "valid_{contract.table}"'
        )
        columns = [
            name for name, _ in county.engine.columns(f'select * from "matched_{contract.table}"')
        ]
        assert len(columns) == len(set(columns))
        assert columns[0] == order_of(f"matched_{contract.table}") == "record_id"
        assert {name for name, _, _ in MATCHED_COLUMNS} <= set(columns)
        identities = {f.name for f in contract.fields if f.is_identity}
        assert not identities & set(columns)
        kept = {f.name for f in contract.fields if not f.is_identity}
        assert kept <= set(columns) or contract.records == "casualties"
    assert "delivered_outcome" in [
        name
        for name, _ in county.engine.columns(
            "select * from matched_emergency_management__casualties"
        )
    ]


def test_a_certificate_number_does_not_leave(county: County) -> None:
    certificate = LI + "43"
    county.match([Record(certificate, "李娜")], "certificates")
    row = county.table("matched_disability_federation__certificates")[0]
    assert (
        row["record_id"]
        == hmac.new(KEY, f"certificates|{certificate}".encode(), hashlib.sha256).hexdigest()
    )
    assert (row["member_id"], row["household_id"], row["method"]) == ("li", "H1", "certificate")
    assert "certificate_no" not in row
    assert LI not in str(row)
    assert "李娜" not in str(row)


def test_types_that_are_answered_in_one_pass_are_answered_as_each_by_itself(county: County) -> None:
    damaged = ZHANG[:16] + ZHANG[17] + ZHANG[16]
    records = [
        Record(ZHANG, "张伟"),
        Record(damaged, "张伟"),
        Record(ZHANG, "别人"),
        Record(None, "张伟"),
        Record(number(sequence=77), "谁"),
    ]
    types = [contract_for(name) for name in ("temporary_aid", "serious_illnesses", "deaths")]
    alone = {contract.table: county.match(records, contract.records) for contract in types}
    county.build()
    for contract in types:
        county.make(f"matched_{contract.table}", types=types)
        county.engine.table("seen", f'select * from "matched_{contract.table}"')
        found = {row["record_id"]: row for row in county.table("seen")}
        assert [
            (found[f"R{i:05d}"]["member_id"], found[f"R{i:05d}"]["outcome"])
            for i in range(len(records))
        ] == [(answer.member_id, answer.outcome) for answer in alone[contract.table]]
    assert len(county.table("open_record")) == 3 * 4, "the last pass was for all three"
    assert {row["records"] for row in county.queue("deaths")} <= {"deaths", "members"}


def test_losses_in_yuan(county: County) -> None:
    contract = contract_for("losses")
    rows = [
        {"loss_id": "L1", "head_id_number": ZHANG, "head_name": "张伟", "loss_amount": "2.20"},
        {"loss_id": "L2", "loss_amount": None},
    ]
    county.deliver(contract, rows)
    county.build_matched(contract)
    found = {row["record_id"]: row for row in county.table("matched_emergency_management__losses")}
    assert str(found["L1"]["loss_yuan"]) == "22000.00"
    assert str(found["L1"]["loss_amount"]) == "2.20"
    assert found["L2"]["loss_yuan"] is None
    assert dict(
        county.engine.columns("select loss_yuan from matched_emergency_management__losses")
    ) == {"loss_yuan": "DECIMAL(18,2)"}


def test_tied_by_household(county: County) -> None:
    cases = contract_for("cases")
    county.deliver(
        cases, [{"case_id": "C1", "household_id": "H1"}, {"case_id": "C2", "household_id": "gone"}]
    )
    for contract in (cases, contract_for("members"), contract_for("households")):
        county.build_matched(contract)
    outcomes = (
        "select record_id, household_id, outcome, method, reason from matched_monitoring__cases"
        " order by 1"
    )
    assert county.engine.rows(outcomes) == [
        ("C1", "H1", "linked", "household_id", None),
        ("C2", "gone", "unregistered", None, "not_registered"),
    ]
    members = {r["member_id"]: r for r in county.table("matched_rural_revitalisation__members")}
    assert {m: r["person_key"] for m, r in members.items()} == county.keys()
    assert {r["outcome"] for r in members.values()} == {"linked"}
    assert (
        county.engine.scalar(
            "select count(*) from matched_rural_revitalisation__households where outcome = 'linked'"
            " and household_id = record_id"
        )
        == 7
    )


def test_members_of_a_household_that_the_register_lost(tmp_path: Path) -> None:
    county = County(tmp_path, [Member("a", "张伟", ZHANG)])
    county.deliver(contract_for("households"), [])
    county.build_matched(contract_for("members"))
    assert [r["outcome"] for r in county.table("matched_rural_revitalisation__members")] == [
        "unregistered"
    ]
    assert county.match([Record(ZHANG, "张伟")]) == [linked("a", "exact")]


@pytest.mark.parametrize(
    ("as_of", "outcome"), [(date(2026, 11, 24), "unregistered"), (date(2026, 11, 25), "linked")]
)
def test_a_shell_has_its_members_and_cases_where_shells_are_computed(
    tmp_path: Path, as_of: date, outcome: str
) -> None:
    county, cases = (
        County(tmp_path, [Member("a", "张伟", ZHANG), Member("b", "李娜", LI, "H2")], as_of),
        contract_for("cases"),
    )
    county.deliver(contract_for("households"), [{"household_id": "H2"}])
    county.deliver(
        cases, [{"case_id": f"C-{home}", "household_id": home} for home in ("H1", "H2", "gone")]
    )
    for contract in (cases, contract_for("members")):
        county.build_matched(contract)
    found = {row["record_id"]: row["outcome"] for row in county.table("matched_monitoring__cases")}
    assert found == {"C-H1": outcome, "C-H2": "linked", "C-gone": "unregistered"}
    members = {
        row["member_id"]: row["outcome"]
        for row in county.table("matched_rural_revitalisation__members")
    }
    assert members == {"a": outcome, "b": "linked"}


def _attendance(**roles: str) -> Contract:
    fields = [Field(n, n, "text", False, roles.get(n),
                    "identity" if n in ("pupil", "pupil_name") else "internal", None, "", ())
              for n in ("attendance_id", "pupil", "pupil_name", "method")]  # fmt: skip
    return dataclasses.replace(
        contract_for("temporary_aid"),
        department="education",
        records="attendance",
        fields=tuple(fields),
    )


def test_a_nineteenth_type_needs_only_its_roles(county: County) -> None:
    contract = _attendance(attendance_id="record_key", pupil="id_number", pupil_name="name")
    county.deliver(
        contract, [{"attendance_id": "A1", "pupil": ZHANG, "pupil_name": "张伟", "method": "bus"}]
    )
    county.build_matched(contract)
    row = county.table("matched_education__attendance")[0]
    assert (row["member_id"], row["method"], row["delivered_method"]) == ("zhang", "exact", "bus")


def test_a_type_without_a_name(county: County) -> None:
    contract = _attendance(attendance_id="record_key", pupil="id_number")
    county.deliver(contract, [{"attendance_id": "A1", "pupil": ZHANG}])
    county.build_matched(contract)
    row = county.table("matched_education__attendance")[0]
    assert (row["member_id"], row["name_agreement"]) == ("zhang", "absent")


def test_a_type_that_is_about_nobody_is_refused(county: County) -> None:
    with pytest.raises(
        MatchingError, match=r"education\.attendance.*give a field the role id_number"
    ):
        county.build_matched(_attendance(attendance_id="record_key"))


def test_an_error_of_the_engine_says_no_value(county: County) -> None:
    county.engine.table("valid_education__attendance", f"select '{ZHANG}' as something_else")
    with pytest.raises(ModelError) as raised:
        county.build_matched(_attendance(attendance_id="record_key", pupil="id_number"))
    assert ZHANG not in str(raised.value)
    assert KEY.hex() not in str(raised.value)
    assert raised.value.__cause__ is None


def _assets(
    county: County, rows: list[dict[str, str]]
) -> list[tuple[str, str, str | None, str | None]]:
    """Project assets, tied to a village: what each ends as."""
    fields = [Field(n, n, "text", False,
                    {"asset_id": "record_key", "area_code": "area_code"}.get(n), "internal", None,
                    "", ())
              for n in ("asset_id", "area_code")]  # fmt: skip
    contract = dataclasses.replace(
        contract_for("temporary_aid"),
        records="assets",
        fields=tuple(fields),
        properties={"subject": "area"},
    )
    county.deliver(contract, rows)
    county.build_matched(contract)
    county.make_of([contract, contract_for("households")], "linkage_quality")
    return [
        (r["record_id"], r["outcome"], r["reason"], r["household_id"])
        for r in county.table(f"matched_{contract.table}")
    ]


def test_records_of_areas_are_placed_by_their_code_and_nobodys(county: County) -> None:
    code = "610921100201"
    county.deliver(contract_for("households"), [{"household_id": "h-zhang", "area_code": code}])
    county.build_matched(contract_for("households"))
    rows = {
        "village": code,
        "town": code[:9] + "000",
        "county": code[:6] + "000000",
        "elsewhere": "999999999999",
    }
    found = _assets(
        county,
        [{"asset_id": key, "area_code": area} for key, area in rows.items()]
        + [{"asset_id": "nowhere", "area_code": None}],
    )
    assert sorted(found) == [
        ("county", "placed", None, None),
        ("elsewhere", "unplaced", "not_registered", None),
        ("nowhere", "unplaced", "not_registered", None),
        ("town", "placed", None, None),
        ("village", "placed", None, None),
    ]
    quality = {r["records"]: r for r in county.table("linkage_quality")}
    assets = quality["assets"]
    assert sum(assets[outcome] for outcome in OUTCOMES) == assets["in_force"] == 5
    assert (assets["placed"], assets["unplaced"], str(assets["match_rate"])) == (3, 2, "0.600000")
    assert (quality["households"]["placed"], quality["households"]["unplaced"]) == (None, None)


def test_a_record_of_an_area_may_name_a_household(tmp_path: Path) -> None:
    """Which the register has, or a shell's members name."""
    code, issues = "610921100201", contract_for("issues", with_drafts=True)
    county = County(tmp_path, as_of=date(2026, 11, 25))
    county.deliver(contract_for("households"), [{"household_id": "h-zhang", "area_code": code}])
    county.deliver(contract_for("members"), [{"member_id": "m-li", "household_id": "h-li"}])
    named = {"one": "h-zhang", "shell": "h-li", "gone": "h-gone", "none": None}
    county.deliver(
        issues,
        [
            {"issue_id": key, "area_code": code, "household_id": household}
            for key, household in named.items()
        ],
    )
    county.build_matched(issues)
    assert {
        r["record_id"]: (r["outcome"], r["household_id"], r["delivered_household_id"])
        for r in county.table("matched_supervision__issues")
    } == {
        "one": ("placed", "h-zhang", "h-zhang"),
        "shell": ("placed", "h-li", "h-li"),
        "gone": ("placed", None, "h-gone"),
        "none": ("placed", None, None),
    }


def test_a_record_keeps_the_id_under_which_it_was_published(county: County) -> None:
    """Its key was folded since: `_first_key` is the spelling of which its id was made."""
    contract = _attendance(attendance_id="record_key", pupil="id_number", pupil_name="name")
    first = {"attendance_id": "A1", "pupil": ZHANG, "pupil_name": "张伟", "_first_key": "A1 "}
    county.deliver(contract, [first, {"attendance_id": "A2", "pupil": ZHANG}])
    county.build_matched(contract)
    assert sorted(r["record_id"] for r in county.table("matched_education__attendance")) == [
        "A1 ",
        "A2",
    ]


def test_a_published_pseudonym_hides_the_departments_number(county: County) -> None:
    contract = _attendance(attendance_id="record_key", pupil="id_number", pupil_name="name")
    contract = dataclasses.replace(contract, properties={"published": "pseudonym"})
    county.deliver(
        contract, [{"attendance_id": "13812345678", "pupil": ZHANG, "pupil_name": "张伟"}]
    )
    county.build_matched(contract)
    row = county.table("matched_education__attendance")[0]
    assert "13812345678" not in repr(row)
    assert len(row["record_id"]) == 64
