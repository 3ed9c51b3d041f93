"""Who decides: the login and the operating system's user that stand beside a decision.

Belongs here: telling the database for whom the owner's session acts. Not here: asking for a
password (`pipelines.operator.decisions`), what is decided (`warehouse.database.access`,
`warehouse.publication.keeping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True)
class Actor:
    """Who makes a decision; without a login it is the session's own that is recorded.
    `remark`: BY= as it was typed.
    """

    login: str | None = None
    os_user: str | None = None
    remark: str | None = None


NOBODY = Actor()


def sign(connection: sa.Connection, maker: Actor) -> None:
    """Has the decisions of this transaction recorded as this person's."""
    told = {"acting_login": maker.login, "os_user": maker.os_user, "remark": maker.remark}
    for name, value in told.items():
        connection.execute(
            sa.text("select set_config(:name, :value, true)"),
            {"name": f"yihu.{name}", "value": value or ""},
        )


@contextmanager
def acting_as(engine: sa.Engine, maker: Actor) -> Iterator[sa.Connection]:
    """A transaction whose decisions are recorded as this person's."""
    with engine.begin() as connection:
        sign(connection, maker)
        yield connection
