"""No value of a statement in the server's log: the embedded server's settings, and what is said of
a talkative one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.server import Server
from tests.warehouse.conftest import Warehouse, make_warehouse
from warehouse.schema.walls import QUIET_LOG, talkative_log

NUMBER = "610921197803129976"


def test_the_embedded_server_is_quiet(published: Warehouse) -> None:
    with published.engine().connect() as connection:
        assert talkative_log(connection) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [("log_statement", "all"), ("log_min_duration_statement", "0"),
        ("log_error_verbosity", "verbose"),
                           ("log_min_error_statement", "error"), ("log_min_messages", "warning"),
                           ("log_parameter_max_length", "-1"), ("debug_print_parse", "on")],
)  # fmt: skip
def test_a_talkative_one_is_named_with_what_closes_it(
    published: Warehouse, setting: str, value: str
) -> None:
    with published.engine().connect() as connection:
        connection.exec_driver_sql(f"set {setting} = '{value}'")
        told = talkative_log(connection)
        assert told is not None
        assert setting in told.allows
        assert f"alter system set {setting} = '{QUIET_LOG[setting][-1]}'" in told.close


@pytest.mark.long
def test_a_module_that_logs_statements_is_named(installed_server: Server, tmp_path: Path) -> None:
    with make_warehouse(installed_server, tmp_path).engine().connect() as connection:
        connection.exec_driver_sql("load 'auto_explain'")
        told = [talkative_log(connection)]
        connection.exec_driver_sql("set auto_explain.log_min_duration = 0")
        told.append(talkative_log(connection))
    assert "auto_explain" not in str(told[0])
    assert "auto_explain.log_min_duration = '-1'" in str(told[1])


def test_an_identity_in_a_statement_is_not_in_the_log(published: Warehouse) -> None:
    with published.engine("yihu_steward").connect() as connection:
        for statement in (f"select '{NUMBER}'::text::integer", "select cast(:n as integer)"):
            with pytest.raises(sa.exc.DBAPIError):
                connection.execute(sa.text(statement), {"n": NUMBER} if ":n" in statement else {})
            connection.rollback()
    log = published.server.log
    assert log is not None
    assert NUMBER not in log.read_text(encoding="utf-8", errors="replace")
