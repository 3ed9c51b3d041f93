"""What `make sync` ends with: the release, what changed, the state of every source, how to look further.

Belongs here: asking the warehouse as its readers see it, and laying out the answer. Not here: running (`sync`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from resources.server import warehouse_server
from resources.settings import Settings

SOURCES = """
select department, records, state, age_days, received, accepted, unchanged, superseded, withdrawn, quarantined, in_force, linked, match_rate
from yihu.source_status order by department, records
"""
COUNTS = ("age_days", "received", "accepted", "unchanged", "superseded", "withdrawn", "quarantined", "in_force", "linked")
RELEASE = """
select release_id, as_of, is_provisional, households, red, yellow, rule_version, left(checksum, 12) as checksum
from ops.release where as_of = :as_of order by release_id desc limit 1
"""
BEFORE = (
    "select release_id, as_of, households, red, yellow from ops.release where release_id < :release_id order by release_id desc limit 1"
)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns aligned, the first two to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
        for line in [header, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def number(value: Any) -> str:
    return "-" if value is None else f"{value:,}"


def share(value: Any) -> str:
    return "-" if value is None else f"{value:.2%}"


def _changed(now: int, before: int | None) -> str:
    return "" if before is None else f" ({now - before:+,})"


def print_summary(settings: Settings, as_of: date, seconds: float) -> None:
    """Prints the day's release as it stands in the warehouse."""
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        engine = server.engine()
        with engine.connect() as connection:
            release = connection.execute(sa.text(RELEASE), {"as_of": as_of}).mappings().first()
            before = None
            if release is not None:
                before = connection.execute(sa.text(BEFORE), {"release_id": release["release_id"]}).mappings().first()
            sources = connection.execute(sa.text(SOURCES)).mappings().all()
        engine.dispose()
    print()
    if release is None:
        print(f"{as_of}: recomputed in the lake; a later day is current, so the warehouse stands as it was.")
    else:
        _print_release(dict(release), dict(before) if before else None, seconds)
    rows = [
        [str(s["department"]), str(s["records"]), str(s["state"]), *(number(s[c]) for c in COUNTS), share(s["match_rate"])] for s in sources
    ]
    print()
    print(table(["department", "records", "state", *(c.replace("_", " ") for c in COUNTS), "match rate"], rows))
    print()
    print('Query it:  echo "select level, count(*) from yihu.warning_flag group by 1" | make -s psql ROLE=yihu_reader')
    print("Look at it: make ui (assets, checks, quarantine counts), make status (what to do next)")


def _print_release(release: dict[str, Any], before: dict[str, Any] | None, seconds: float) -> None:
    provisional = " (provisional: the run after midnight replaces it)" if release["is_provisional"] else ""
    print(f"Release {release['release_id']} as of {release['as_of']}{provisional}, in {seconds:.0f} s")
    print(f"  rules {release['rule_version']}   checksum {release['checksum']}")
    previous = before or {}
    print(
        f"  households {release['households']:,}{_changed(release['households'], previous.get('households'))}"
        f"   red {release['red']:,}{_changed(release['red'], previous.get('red'))}"
        f"   yellow {release['yellow']:,}{_changed(release['yellow'], previous.get('yellow'))}"
        + (f"   against release {before['release_id']} of {before['as_of']}" if before else "   (the first release)")
    )
