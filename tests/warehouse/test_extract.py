"""Extracts for analysts: pseudonyms of the extract's own, groups of five at least, nothing but what
it names.
"""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from resources.server import Server
from tests.warehouse.conftest import Warehouse, make_warehouse
from warehouse.database.extract import ExtractError, make_extract
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
