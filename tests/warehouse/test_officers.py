"""The name of an officer is for staff: who gets it, who does not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.warehouse.conftest import Warehouse

NAMES = "insert into vault.officer (officer_id, officer_name) values ('G1', '某干部')"
ASK = "select yihu.officer('G1')"


@pytest.fixture
def named(guarded: Warehouse) -> Warehouse:
    guarded.rows("delete from vault.officer returning 1")
    with guarded.engine().begin() as connection:
        connection.exec_driver_sql(NAMES)
    return guarded


@pytest.mark.parametrize("role", ["yihu_area", "yihu_steward"])
def test_an_officer_of_an_area_and_a_steward_get_the_name(named: Warehouse, role: str) -> None:
    assert named.one(ASK, role) == "某干部"
    assert named.one("select yihu.officer('G2')", role) is None


@pytest.mark.parametrize("role", ["yihu_reader", "yihu_analyst", "yihu_auditor"])
def test_nobody_else_may_ask(named: Warehouse, role: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        named.one(ASK, role)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        named.one("select officer_name from vault.officer", role)


def test_a_department_gets_it_where_the_assignments_are_its_own(named: Warehouse) -> None:
    login = named.url("yihu_department").username
    own = f"select count(*) from ops.department_grant where login = '{login}'"
    assert named.one(own) != 0
    with pytest.raises(sa.exc.ProgrammingError, match="names of officers are for"):
        named.one(ASK, "yihu_department")
