"""Extracts for analysts: pseudonyms of the extract's own, groups of five at least, nothing but what
it names.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from resources.engines.duckdb import Engine
from resources.server import Server
from tests.warehouse.conftest import DAY, Warehouse, make_warehouse
from tests.warehouse.county import TOWNS, make_followers
from warehouse.database.extract import ExtractError, make_extract
from warehouse.publication import rollback
from warehouse.schema.extracting import extractable


@pytest.fixture(scope="module")
def with_extracts(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    made = make_warehouse(server, tmp_path_factory.mktemp("extracts"))
    made.publish(households=400)
    lamps = ["household_type", "level", "town_code"]
    make_extract(made.engine(), "lamps_by_type", lamps, "a study of lamps")
    make_extract(made.engine(), "the_same_again", lamps, "a study of lamps")
    make_extract(made.engine(), "incomes", ["b19_net_income", "level"], "a study of incomes")
    return made


def test_groups_of_five_at_least(with_extracts: Warehouse) -> None:
    for name in ("lamps_by_type", "incomes"):
        rows = with_extracts.rows(
            f"select pseudonym, facts::text from yihu.extract('{name}')", "yihu_analyst"
        )
        assert 0 < len(rows) <= 400
        assert min(Counter(facts for _, facts in rows).values()) >= 5
        assert len({pseudonym for pseudonym, _ in rows}) == len(rows)
    amounts = with_extracts.rows(
        "select distinct (facts ->> 'b19_net_income')::numeric %% 1000 from"
        " yihu.extract('incomes')",
        "yihu_analyst",
    )
    assert amounts == [(0,)]


def _shown(warehouse: Warehouse, name: str) -> Counter[tuple[str, ...]]:
    """Households by their facts, as an analyst counts them."""
    rows = warehouse.rows(f"select facts from yihu.extract('{name}')", "yihu_analyst")
    return Counter(
        tuple(str(facts[key]) for key in sorted(facts))  # type: ignore[index, arg-type]
        for (facts,) in rows
    )


def test_two_extracts_cannot_be_laid_side_by_side(with_extracts: Warehouse) -> None:
    one, other = (
        {
            str(row[0])
            for row in with_extracts.rows(
                f"select pseudonym from yihu.extract('{name}')", "yihu_analyst"
            )
        }
        for name in ("lamps_by_type", "the_same_again")
    )
    assert len(one) == len(other)
    assert not one & other
    assert _shown(with_extracts, "lamps_by_type") == _shown(with_extracts, "the_same_again")


TRUTH = """
select h.household_type, f.level, h.town_code
from store.household as h inner join store.warning_flag as f using (household_id)
"""


def test_no_count_less_an_extract_tells_a_small_group(with_extracts: Warehouse) -> None:
    """The counts of the ledger, by town and by lamp, less the households that the extract shows."""
    truth = Counter(with_extracts.rows(TRUTH))
    shown = _shown(with_extracts, "lamps_by_type")
    hidden = {group: n for group, n in truth.items() if group not in shown}
    assert shown
    assert min(hidden.values()) < 5, "there is something to tell"
    for places in ((), (1,), (2,), (1, 2)):
        for cell in {tuple(group[place] for place in places) for group in hidden}:
            within = [n for group, n in hidden.items() if tuple(group[p] for p in places) == cell]
            is_there = any(tuple(group[p] for p in places) == cell for group in shown)
            is_alone = len(within) == 1 and within[0] < 5
            assert not is_there or (sum(within) >= 5 and not is_alone), (places, cell)


def test_an_extract_less_another_tells_no_small_group(with_extracts: Warehouse) -> None:
    """By type and town there are as many as the first shows and hides, so that the few red ones
    would be left over.
    """
    with pytest.raises(
        ExtractError, match="beside the extract lamps_by_type it would tell groups under 5"
    ):
        make_extract(
            with_extracts.engine(), "types", ["household_type", "town_code"], "a study of types"
        )


def test_an_extract_of_a_release_that_was_rolled_back_still_counts(warehouse: Warehouse) -> None:
    """It was read, and is read again when the release is brought back."""
    warehouse.publish(DAY - timedelta(days=1), households=400)
    second = warehouse.publish(DAY, households=400, day=1).release_id
    lamps = ["household_type", "level", "town_code"]
    make_extract(warehouse.engine(), "lamps_by_type", lamps, "a study of lamps")
    rollback(warehouse.engine(), "Zhao", "a wrong extract")
    assert warehouse.rows("select name from yihu.extracts()", "yihu_analyst") == []
    with pytest.raises(ExtractError, match="beside the extract lamps_by_type"):
        make_extract(
            warehouse.engine(), "types", ["household_type", "town_code"], "a study of types"
        )
    rollback(warehouse.engine(), "Zhao", "it was right", to=second)
    assert warehouse.rows("select name from yihu.extracts()", "yihu_analyst") == [
        ("lamps_by_type",)
    ]


def _few_red_in_two_towns(engine: Engine, tables: dict[str, str]) -> None:
    few = f"town_code in ('{TOWNS[2]}', '{TOWNS[3]}')"
    level = (
        f"case when household_id > 'H000000300' then 'yellow' when {few} or household_id >"
        " 'H000000200' then 'green' else 'red' end"
    )
    engine.execute(f"update warning_flag set level = {level}")
    tables.update(make_followers(engine))


def test_what_the_ledger_hides_no_extract_shows(warehouse: Warehouse) -> None:
    """Towns whose lamps the one exit hides are not in an extract of lamps by town, whichever of
    them has the few.
    """
    warehouse.publish(households=400, after=_few_red_in_two_towns)
    make_extract(warehouse.engine(), "lamps_by_town", ["level", "town_code"], "a study of lamps")
    ledger = warehouse.rows(
        "select area_code, red is not null from yihu.area_ledger where area_level = 'town' order"
        " by 1",
        "yihu_analyst",
    )
    assert ledger == [(TOWNS[0], True), (TOWNS[1], False), (TOWNS[2], False), (TOWNS[3], False)]
    assert {town for _, town in _shown(warehouse, "lamps_by_town")} == {TOWNS[0]}
    make_extract(warehouse.engine(), "lamps", ["level"], "a study of lamps")
    assert len(_shown(warehouse, "lamps")) == 3


def test_the_county_finds_the_household_by_the_key(with_extracts: Warehouse) -> None:
    """The key is kept with the extract, where analysts do not come."""
    found = with_extracts.rows(
        "select h.household_id from store.household as h cross join vault.extract as x where x.name"
        " = 'lamps_by_type' and encode(sha256(x.pseudonym_key || sha256(x.pseudonym_key ||"
        " convert_to(h.household_id, 'UTF8'))), 'hex') in (select pseudonym from"
        " yihu.extract('lamps_by_type'))"
    )
    assert len(found) == with_extracts.one("select count(*) from yihu.extract('lamps_by_type')")
    for attempt in (
        "select * from vault.extract",
        "select household_id from yihu.household",
        "select * from yihu.warning_flag",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            with_extracts.rows(attempt, "yihu_analyst")
    for login in ("yihu_area", "yihu_department", "yihu_auditor"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            with_extracts.rows("select * from yihu.extract('lamps_by_type')", login)


def test_what_is_asked_is_judged_all_at_once(with_extracts: Warehouse) -> None:
    with pytest.raises(ExtractError) as failed:
        make_extract(with_extracts.engine(), "Bad Name", ["household_id", "head_name_masked"], " ")
    for said in ("NAME", "COLUMNS", "WHY"):
        assert said in str(failed.value)
    with pytest.raises(ExtractError, match="already"):
        make_extract(with_extracts.engine(), "incomes", ["level"], "again")
    assert not {"household_id", "head_name_masked", "area_code", "village_name"} & set(
        extractable()
    )
    with pytest.raises(sa.exc.DBAPIError, match="no extract"):
        with_extracts.rows("select * from yihu.extract('none')", "yihu_analyst")
    assert [
        row[0] for row in with_extracts.rows("select name from yihu.extracts()", "yihu_analyst")
    ] == [
        "lamps_by_type",
        "the_same_again",
        "incomes",
    ]


def test_no_message_of_the_server_tells_the_key(with_extracts: Warehouse) -> None:
    """Any session may have its own plans printed to it, with the values in them."""
    key = bytes(
        with_extracts.one(  # type: ignore[call-overload]
            "select pseudonym_key from vault.extract where name = 'incomes'"
        )
    )
    as_printed = " ".join(str(byte - 256 if byte > 127 else byte) for byte in key)
    said: list[str] = []
    with with_extracts.engine("yihu_analyst").connect() as connection:
        raw = connection.connection.driver_connection
        raw.add_notice_handler(
            lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}")
        )  # type: ignore[union-attr]
        for setting in (
            "debug_print_plan",
            "debug_print_parse",
            "debug_print_rewritten",
            "trace_sort",
        ):
            connection.exec_driver_sql(f"set {setting} = on")
        connection.exec_driver_sql("set client_min_messages = debug5")
        connection.exec_driver_sql("select * from yihu.extract('incomes')").all()
    assert any("plan:" in text for text in said), "the control: the session's own plan is printed"
    assert not any(as_printed in " ".join(text.split()) for text in said)
