"""The name of an officer is for staff: who gets it, who does not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.warehouse.conftest import Warehouse

NAMES = "insert into vault.officer (officer_id, officer_name) values ('G1', '某干部')"
ASK = "select yihu.officer('G1')"


@pytest.fixture
def named(guarded: Warehouse) -> Warehouse:
    with guarded.engine().begin() as connection:
        connection.exec_driver_sql("delete from vault.officer")
        connection.exec_driver_sql(NAMES)
    return guarded


@pytest.mark.parametrize("role", ["officer", "yihu_steward"])
def test_an_officer_of_an_area_and_a_steward_get_the_name(named: Warehouse, role: str) -> None:
    assert named.one(ASK, role) == "某干部"
    assert named.one("select yihu.officer('G2')", role) is None


@pytest.mark.parametrize("role", ["yihu_reader", "yihu_analyst", "yihu_auditor"])
def test_nobody_else_may_ask(named: Warehouse, role: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        named.one(ASK, role)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        named.one("select officer_name from vault.officer", role)


@pytest.mark.parametrize("login", ["clerk", "nobody_yet"])
def test_another_department_and_an_officer_of_no_area_do_not(named: Warehouse, login: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="names of officers are for"):
        named.one(ASK, login)


def test_the_department_of_the_assignments_gets_it(named: Warehouse) -> None:
    department = "update ops.department_grant set department = '{}' where login = 'clerk'"
    with named.engine().begin() as connection:
        connection.exec_driver_sql(department.format("rural_revitalisation"))
    assert named.one(ASK, "clerk") == "某干部"
    with named.engine().begin() as connection:
        connection.exec_driver_sql(department.format("housing"))
