"""Writing a period of a rhythm's table:
what was there of the period goes, what was counted comes, in one transaction.

Belongs here: that. Not here: releases (`publish`), what is counted (`warehouse.periodic_reports`).
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from expectations.engine import SqlEngine
from warehouse.publication.content import engine_type
from warehouse.publication.wire import take_write_lock, wired
from warehouse.schema import View


def publish_period(
    engine: SqlEngine,
    url: str | sa.URL,
    view: View,
    source: str,
    period_on: date,
    wait_seconds: float = 60.0,
) -> int:
    """Replaces the period that begins on `period_on` by the rows of the engine table `source`;
    returns their number.

    Raises:
        Busy: when another writer is not done in `wait_seconds`.
        PublicationError: when the database fails. Whichever it is, the period stands as it was.
    """
    names = ", ".join(f'"{column.name}"' for column in view.stored)
    declared = ", ".join(f'"{column.name}" {column.type}' for column in view.stored)
    picked = ", ".join(
        f'cast("{column.name}" as {engine_type(column)}) as "{column.name}"'
        for column in view.stored
    )
    order = ", ".join(f'"{name}"' for name in view.key)
    stage = f"stage_{view.name}"
    rows = int(engine.scalar(f'select count(*) from "{source}"'))
    with wired(url) as wire:
        take_write_lock(wire, wait_seconds)
        wire.execute(f"create temporary table {stage} ({declared}) on commit drop")
        wire.load(stage, engine.arrow(f'select {picked} from "{source}" order by {order}'))
        wire.execute(
            f'delete from store."{view.name}" where "{view.key[0]}" = $1::text::date',
            period_on.isoformat(),
        )
        wire.execute(f'insert into store."{view.name}" ({names}) select {names} from {stage}')
        wire.commit()
    return rows
