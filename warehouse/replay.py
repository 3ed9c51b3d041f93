"""A replay of the quarantine: rows set aside are judged anew on a day,
after their contract has changed.

Belongs here: which rows a day replays, written down so that the day gives the same bytes when it is
run again. Not here: the merge itself (`asof`).
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

from expectations.contract import Contract
from expectations.engine import SqlEngine
from expectations.errors import ConfigurationError
from expectations.landing import fingerprint
from warehouse.merge_state import LakeFolder, stored_rows


class ReplayError(ConfigurationError):
    """A replay that cannot be done; says what to do."""


def _path(lake: LakeFolder, contract: Contract, as_of: date) -> Path:
    return lake.root / "replays" / contract.table / f"as_of={as_of.isoformat()}.json"


def request_replay(engine: SqlEngine, lake: LakeFolder, contract: Contract, as_of: date) -> int:
    """Has the rows that were in quarantine before `as_of` judged anew when that day is next run;
    returns their number.

    Rows of the day's own batches need no asking: a day that is run again judges them anew anyway.
    """
    before = max((d for d in lake.note_days("ledger", contract.table) if d < as_of), default=None)
    stored = stored_rows(lake, "quarantine", contract.table, before)
    rows = engine.rows(f"select batch_id, _row from {stored} order by 1, 2") if stored else []
    wanted: dict[str, list[int]] = {}
    for batch_id, row in rows:
        wanted.setdefault(str(batch_id), []).append(int(row))
    path = _path(lake, contract, as_of)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = path.with_suffix(".tmp")
    work.write_text(
        json.dumps(
            {
                "rows": wanted,
                "contract_version": contract.version,
                "fingerprint": fingerprint(contract),
            }
        )
    )
    work.chmod(0o600)
    os.replace(work, path)
    return len(rows)


def replayed_rows(lake: LakeFolder, contract: Contract, as_of: date) -> dict[str, list[int]]:
    """The rows that a day replays, by batch, in the order of the batches."""
    path = _path(lake, contract, as_of)
    if not path.exists():
        return {}
    rows: dict[str, list[int]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return dict(sorted(rows.items(), key=lambda item: (item[0].rsplit("-", 2)[1:], item[0])))
