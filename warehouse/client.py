"""A small client for notebooks and downstream jobs:
SQL in, Arrow or pandas out, as the login sees it, at one release.

Belongs here: reading `yihu`. Not here: writing, or addresses and passwords (`resources.server`, or
your own).

  with Warehouse("postgresql://li_wei:…@db/yihu") as yihu:
      yihu.pandas("select * from yihu.warning_flag where level = 'red'")
      yihu.red_households("610921101")
      yihu.at(date(2026, 10, 31)).pandas("select level, count(*) from yihu.warning_flag group by 1")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from warehouse.schema import VIEW, View
from warehouse.schema.leaving import leaving_views


@dataclass(frozen=True)
class Identity:
    """Who is asking, and what that shows."""

    login: str
    role: str | None
    areas: tuple[str, ...]
    release_id: int | None
    as_of: date | None


class Warehouse:
    """One session that reads one release: every answer of it belongs to the same one,
    also while another is published.

    Opened on the current release; `at` moves it to a past day's, `now` to the current one again.
    """

    def __init__(self, url: str | sa.URL) -> None:
        parsed = sa.make_url(url)
        self._engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self._connection = self._engine.connect()
        self.now()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def now(self) -> Warehouse:
        """Reads the release that is current at this moment, and stays on it."""
        self._connection.exec_driver_sql("select yihu.yihu_as_of(null)")
        self._connection.exec_driver_sql(
            "select set_config('yihu.release_id', yihu.current_release()::text, false)"
        )
        return self

    def at(self, day: date) -> Warehouse:
        """Reads the last release on or before `day`: what one would have known then."""
        self._connection.execute(sa.text("select yihu.yihu_as_of(:day)"), {"day": day})
        return self

    def who(self) -> Identity:
        """The login, its role and areas, and the release that it reads."""
        row = self._connection.execute(
            sa.text(
                "select session_user::text as login, yihu.current_release() as release_id,"
                " yihu.current_as_of() as as_of, (select min(rolname::text) from pg_roles where"
                " rolname like 'yihu\\_%' and pg_has_role(session_user, oid, 'member') and not"
                " rolsuper) as role"
            )
        ).one()
        areas: tuple[str, ...] = ()
        if row.role == "yihu_area":
            areas = tuple(sorted(self._connection.scalar(sa.text("select yihu.granted_areas()"))))
        return Identity(row.login, row.role, areas, row.release_id, row.as_of)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The answer as dictionaries; parameters are named `:name`."""
        return [
            dict(row) for row in self._connection.execute(sa.text(sql), parameters or {}).mappings()
        ]

    def pandas(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The answer as a frame; dates are dates, amounts decimals."""
        result = self._connection.execute(sa.text(sql), parameters or {})
        return pd.DataFrame(result.all(), columns=list(result.keys()))

    def arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The answer as an Arrow table."""
        result = self._connection.execute(sa.text(sql), parameters or {})
        rows = result.all()
        return pa.table(
            {
                name: pa.array([row[place] for row in rows])
                for place, name in enumerate(result.keys())
            }
        )

    def view(
        self,
        name: str,
        columns: Sequence[str] = (),
        where: str = "true",
        parameters: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """A view of `yihu`, or some of its columns.

        Raises `KeyError` for a name that it does not have.
        """
        view = VIEW[name]
        return self.pandas(
            f'select {_picked(view, columns)} from yihu."{name}" where {where}', parameters
        )

    def red_households(self, area_code: str) -> pd.DataFrame:
        """The red households of a county, town or village (6, 9 or 12 digits) with their reasons,
        the highest score first.
        """
        return self.pandas(
            "select f.household_id, h.head_name_masked, h.village_name, f.score, f.red_since,"
            " r.code, r.points, r.value, r.threshold from yihu.warning_flag as f join"
            " yihu.household as h using (household_id) join yihu.warning_reason as r using"
            " (household_id) where f.level = 'red' and f.area_code like :area || '%' order by"
            " f.score desc, f.household_id, r.points desc, r.code",
            {"area": area_code},
        )

    def public(self, name: str) -> pd.DataFrame:
        """A view of counts (`area_ledger`, `bulletin`, a rhythm's) as it may be made public: no
        count under five, and none that can be worked out from the others. Raises `KeyError` for a
        view that is not made of counts.
        """
        view = {view.name: view for view in leaving_views()}[name]
        order = ", ".join(f'"{column}"' for column in view.key)
        return self.pandas(f'select * from yihu."public_{view.name}"() order by {order}')

    def public_ledger(self) -> pd.DataFrame:
        """`area_ledger` as it may be made public."""
        return self.public("area_ledger")

    def public_bulletin(self) -> pd.DataFrame:
        """`bulletin` as it may be made public."""
        return self.public("bulletin")


def _picked(view: View, columns: Sequence[str]) -> str:
    known = {column.name for column in view.stored} | {"as_of", "release_id"}
    unknown = sorted(set(columns) - known)
    if unknown:
        raise KeyError(f"{view.name} has no column {', '.join(unknown)}")
    return ", ".join(f'"{column}"' for column in columns) or "*"
