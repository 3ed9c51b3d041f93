"""Records matched anew where somebody else may have their number, the others as they were: the same
rows as when everything is matched.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from expectations.contract import Contract, contract_for
from expectations.engine import name
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.incremental.days import unlike
from tests.making import KEY
from tests.matching.county import number
from warehouse.graph import laying
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.laying import differing, lay_matched_over
from warehouse.graph.moment import day_moment
from warehouse.graph.registry import layer_and_folder, order_of
from warehouse.graph.runner import Runner
from warehouse.matching import number_field
from warehouse.schema.lake import STEWARD_DECISION, valid_types

TYPES = tuple(
    contract_for(records)
    for records in ("households", "members", "cases", "temporary_aid", "certificates", "retrofits")
)
IDENTIFIED = TYPES[3:]
KEPT = ("person", "person_key_map", "review_queue")
NAMES = ("徐伟", "李娜", "王芳", "徐娜", "李伟", "欧阳□", None)
FIRST = date(2026, 11, 26)
Row = dict[str, Any]


def sound(n: int) -> str:
    return number(f"{1950 + n % 60}0{1 + n % 9}1{n % 9}", n % 900)


class Register:
    """Rows of valid by record type and key, and what happens to them overnight."""

    def __init__(self, seed: int) -> None:
        self.random, self._next = random.Random(seed), 0
        self.rows: dict[str, dict[str, Row]] = {c.records: {} for c in TYPES}
        self.decisions: list[Row] = []
        for household in range(12):
            self.household(f"H{household}", FIRST)
        for person in range(40):
            self.member(f"H{person % 12}", FIRST, sound(person), self.random.choice(NAMES[:5]))
        for _ in range(60):
            self.record(FIRST)

    def put(self, contract: Contract, row: Row, day: date) -> None:
        key = str(row[contract.record_key.name])
        self.rows[contract.records][key] = {**row, "_arrived_on": day}

    def household(self, household: str, day: date) -> None:
        self.put(TYPES[0], {"household_id": household, "area_code": "610921100201"}, day)
        if self.random.random() < 0.3:
            row = {"case_id": f"C-{household}", "household_id": household}
            self.put(TYPES[2], row, day)

    def member(self, household: str, day: date, id_number: str | None, said: str | None) -> None:
        self._next += 1
        row = {
            "member_id": f"M{self._next:03d}",
            "household_id": household,
            "id_number": id_number,
            "name": said,
            "status": self.random.choice("11112"),
        }
        self.put(TYPES[1], row, day)

    def record(self, day: date) -> None:
        contract, member = self.random.choice(IDENTIFIED), self.a_member()
        self._next += 1
        about = self.written(member["id_number"] or "")
        key = contract.record_key.name
        row: Row = {key: f"R{self._next:04d}"}
        if contract.records == "certificates":
            row[key] = f"{about}44"
        else:
            row[number_field(contract).name] = about
        told = contract.find_role("name") or contract.find_role("head_name")
        if told is not None:
            row[told.name] = self.random.choice([member["name"]] * 5 + list(NAMES))
        self.put(contract, row, day)

    def written(self, told: str) -> str:
        """A number as somebody may write it."""
        ways: list[Callable[[str], str]] = [
            *[lambda t: t] * 8,
            lambda t: f" {t}",
            lambda t: t.lower(),
            lambda t: t[:-1] + "0",
            lambda t: t.replace("0", "O", 1),
            lambda t: t[:9] + t[10:11] + t[9:10] + t[11:],
            lambda t: t[:6] + t[8:17],
            lambda t: sound(self.random.randrange(60)),
        ]
        return self.random.choice(ways)(told)

    def a_member(self) -> Row:
        return self.random.choice(list(self.rows["members"].values()))

    def overnight(self, day: date, times: int) -> list[str]:
        things = (
            self.number_changes, self.number_is_anothers_too, self.name_changes, self.member_moves,
            self.status_changes, self.member_goes, self.member_comes, self.household_goes,
            self.household_comes, self.record, self.record_changes, self.record_goes,
            self.steward_says,
        )  # fmt: skip
        told = []
        for _ in range(times):
            thing = self.random.choice(things)
            thing(day)
            told.append(thing.__name__)
        return told

    def _change(self, member: Row, day: date, **changed: Any) -> None:
        self.put(TYPES[1], {**member, **changed}, day)

    def number_changes(self, day: date) -> None:
        told = self.random.choice([None, "999999199001011234", sound(self.random.randrange(60))])
        self._change(self.a_member(), day, id_number=told)

    def number_is_anothers_too(self, day: date) -> None:
        self._change(self.a_member(), day, id_number=self.a_member()["id_number"])

    def name_changes(self, day: date) -> None:
        self._change(self.a_member(), day, name=self.random.choice(NAMES))

    def member_moves(self, day: date) -> None:
        self._change(self.a_member(), day, household_id=f"H{self.random.randrange(14)}")

    def status_changes(self, day: date) -> None:
        self._change(self.a_member(), day, status=self.random.choice("123"))

    def member_goes(self, day: date) -> None:
        del self.rows["members"][self.a_member()["member_id"]]

    def member_comes(self, day: date) -> None:
        like = self.a_member()
        told = self.random.choice([like["id_number"], sound(self.random.randrange(60, 90))])
        self.member(f"H{self.random.randrange(14)}", day, told, like["name"])

    def household_goes(self, day: date) -> None:
        self.rows["households"].pop(f"H{self.random.randrange(12)}", None)

    def household_comes(self, day: date) -> None:
        self.household(f"H{self.random.randrange(14)}", day)

    def _a_record(self) -> tuple[Contract, str] | None:
        contract = self.random.choice(IDENTIFIED)
        keys = list(self.rows[contract.records])
        return (contract, self.random.choice(keys)) if keys else None

    def record_changes(self, day: date) -> None:
        found = self._a_record()
        if found and found[0].records != "certificates":
            contract, key = found
            row = self.rows[contract.records][key]
            told = self.written(self.a_member()["id_number"] or "")
            self.put(contract, {**row, number_field(contract).name: told}, day)

    def record_goes(self, day: date) -> None:
        if found := self._a_record():
            del self.rows[found[0].records][found[1]]

    asked: tuple[tuple[str, str, list[str]], ...] = ()
    """The questions of the day before: id, reason, candidates."""

    def steward_says(self, day: date) -> None:
        if self.decisions and self.random.random() < 0.2:
            self.decisions.pop()  # withdrawn
            return
        if not self.asked:
            return
        queue_id, reason, candidates = self.random.choice(self.asked)
        decisions = ["keep_apart", "merge"] if reason == "register_conflict" else [
            "link", "unregistered", "merge"
        ]  # fmt: skip
        decision = self.random.choice(decisions)
        key = self.random.choice(candidates) if candidates and decision != "unregistered" else None
        for by in ("one", "another") if decision == "merge" else ("one",):
            answer: Row = {"queue_id": queue_id, "decision": decision, "person_key": key}
            answer |= {"decided_by": by, "decided_at": datetime.combine(day, datetime.min.time())}
            self.decisions.append(answer)


class Matching:
    """Days in a lake; matched in full, and laid over the day before."""

    def __init__(self, folder: Path, register: Register) -> None:
        self.folder, self.lake, self.register = folder, Lake(folder / "lake"), register

    def write(self, day: date) -> None:
        engine = Engine(self.folder / "tmp")
        for contract in TYPES:
            types = valid_types(contract)
            engine.execute(
                "create or replace table given ("
                + ", ".join(f"{name(column)} {kind}" for column, kind in types.items())
                + ")"
            )
            for row in self.register.rows[contract.records].values():
                engine.execute(
                    f"insert into given ({', '.join(map(name, row))}) values"
                    f" ({', '.join('?' for _ in row)})",
                    list(row.values()),
                )
            key = contract.record_key.name
            select = "select * from given"
            self.lake.write(engine, "valid", contract.table, day, select, name(key))
        engine.close()

    def runner(self, engine: Engine) -> Runner:
        columns = STEWARD_DECISION.arrow
        answers = pa.Table.from_pylist(self.register.decisions, columns)
        sources = {"steward_decision": lambda day: answers}
        return Runner(engine, LakeInputs(self.lake, sources), TYPES, KEY)

    def full(self, day: date) -> None:
        engine = Engine(self.folder / "tmp")
        matched = [f"matched_{c.table}" for c in TYPES]
        self.runner(engine).make([*matched, *KEPT], day_moment(day))
        for table in (*matched, *KEPT):
            layer, folder = layer_and_folder(table)
            select = f"select * from {name(table)}"
            self.lake.write(engine, layer, folder, day, select, order_of(table))
        found = engine.rows("select queue_id, reason, candidates from review_queue order by 1")
        self.register.asked = tuple(found)
        engine.close()

    def differences(self, day: date, base: date) -> tuple[dict[str, int], dict[str, int]]:
        """By record type: the rows that differ from those of the whole; and those that differ from
        the day before's."""
        engine = Engine(self.folder / "tmp")
        runner = self.runner(engine)
        moment = replace(day_moment(day), base=base)
        runner.make([f"matched_{c.table}" for c in TYPES], moment)
        found, news = {}, {}
        for contract in TYPES:
            select = lay_matched_over(runner, contract, moment)
            layer, folder = layer_and_folder(f"matched_{contract.table}")
            whole = f"select * from {self.lake.relation(layer, folder, day)}"
            if rows := unlike(engine, f"select * from ({select})", whole):
                found[contract.records] = rows
            counted = f"select count(*) from {differing(f'matched_{contract.table}')}"
            news[contract.records] = int(engine.scalar(counted))
        engine.close()
        return found, news


def walk(folder: Path, seed: int, nights: int = 4) -> None:
    register = Register(seed)
    matching, day = Matching(folder, register), FIRST
    matching.write(day)
    matching.full(day)
    for _ in range(nights):
        base, day = day, day + timedelta(days=register.random.choice([1, 1, 3]))
        told = register.overnight(day, register.random.choice([1, 4, 12]))
        matching.write(day)
        matching.full(day)
        found, _ = matching.differences(day, base)
        assert found == {}, f"seed {seed}: {base} to {day}: {told}"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_the_register(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_whatever_happens_to_the_register_at_length(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, 6)


def two_days(folder: Path, change: Callable[[Register, date], None]) -> Matching:
    register = Register(7)
    matching, day = Matching(folder, register), FIRST + timedelta(days=1)
    matching.write(FIRST)
    matching.full(FIRST)
    change(register, day)
    matching.write(day)
    matching.full(day)
    return matching


def test_on_a_quiet_night_nothing_differs(tmp_path: Path) -> None:
    matching = two_days(tmp_path, lambda register, day: None)
    found, news = matching.differences(FIRST + timedelta(days=1), FIRST)
    assert (found, set(news.values())) == ({}, {0})


def test_a_second_candidate_makes_a_repaired_record_ambiguous(tmp_path: Path) -> None:
    """A record that was not linked at once is asked again: without that, the fault shows."""
    register = Register(11)
    contract = contract_for("temporary_aid")
    one = number("19800101", 18)
    register.member("H1", FIRST, one, "李娜")
    register.rows["members"][f"M{register._next:03d}"]["status"] = "1"
    key, id_field = contract.record_key.name, number_field(contract).name
    said = contract.find_role("name") or contract.find_role("head_name")
    assert said is not None
    spelt = one.replace("0", "O", 1)
    register.put(contract, {key: "REPAIRED", id_field: spelt, said.name: "李娜"}, FIRST)
    matching, day = Matching(tmp_path, register), FIRST + timedelta(days=1)
    matching.write(FIRST)
    matching.full(FIRST)
    register.member("H2", day, one, "李娜")
    register.rows["members"][f"M{register._next:03d}"]["status"] = "1"
    matching.write(day)
    matching.full(day)
    found, news = matching.differences(day, FIRST)
    assert found == {}
    assert news["temporary_aid"] == 2
    with pytest.MonkeyPatch.context() as patch:
        asked = laying._asked
        patch.setattr(laying, "_asked", lambda contract, base: asked(contract, base)[:1])
        found, _ = matching.differences(day, FIRST)
    assert found.get("temporary_aid"), "what waits was left out, and nothing showed it"


def test_a_number_passes_to_another_row_of_the_register(tmp_path: Path) -> None:
    """Who was in force goes; whoever has the number out of force has it now, with the same row."""
    register = Register(5)
    told = number("19770707", 77)
    for household, status in (("H1", "1"), ("H2", "2")):
        register.member(household, FIRST, told, "王芳")
        register.rows["members"][f"M{register._next:03d}"]["status"] = status
    holder = f"M{register._next - 1:03d}"
    contract = contract_for("temporary_aid")
    key, id_field = contract.record_key.name, number_field(contract).name
    register.put(contract, {key: "PASSES", id_field: told, "name": "王芳"}, FIRST)
    matching, day = Matching(tmp_path, register), FIRST + timedelta(days=1)
    matching.write(FIRST)
    matching.full(FIRST)
    del register.rows["members"][holder]
    matching.write(day)
    matching.full(day)
    found, news = matching.differences(day, FIRST)
    assert found == {}
    assert news["temporary_aid"] == 2
