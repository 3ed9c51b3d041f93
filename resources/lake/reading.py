"""The rows of any day as one SELECT, which both engines read:
the snapshot without the keys that changed since, and the newest row of each of those.

Belongs here: following a chain of differences, and writing the SELECT. Not here: where a day lies
(`states`), taking differences (`writing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expectations.engine import name, parquet, pattern
from expectations.errors import YihuError
from resources.lake.states import Base, Places, State


class BrokenChain(YihuError):
    """A day rests on another one that is gone, or that was made anew with other rows."""


@dataclass(frozen=True)
class Chain:
    """A snapshot and the differences since that lead to a day, oldest first."""

    snapshot: State
    steps: tuple[State, ...] = ()

    @property
    def counties(self) -> tuple[str, ...]:
        """Every county that may have a row."""
        return tuple(sorted({*self.snapshot.counties}.union(*(s.counties for s in self.steps))))


def chain_of(places: Places, layer: str, table: str, state: State) -> Chain:
    """What a day's state rests on. Raises `BrokenChain`."""
    steps: list[State] = []
    at = state
    while at.base is not None:
        if at.touched:
            steps.append(at)
        at = _base(places, layer, table, at, at.base)
    return Chain(at, tuple(reversed(steps)))


def _base(places: Places, layer: str, table: str, state: State, base: Base) -> State:
    found = places.state(layer, table, base.day)
    if found is not None and found.digest == base.digest:
        return found
    what = "is gone from the lake" if found is None else "was made anew since, with other rows"
    raise BrokenChain(
        f"{layer} {table} of {state.day} rests on {base.day}, which {what}",
        f"make sync FROM={base.day} TO={state.day}",
    )


def rows_of(chain: Chain, county: str | None = None) -> str:
    """The rows of the day, or of one county, as what stands after `from`."""
    kept = _snapshot(chain.snapshot, county)
    if not chain.steps:
        return kept or _nothing(chain.snapshot)
    columns = [column for column, _ in chain.snapshot.columns]
    parts = [_kept(kept, columns, chain.steps[0].key)] if kept else []
    if came := _came(chain.steps, county, columns):
        parts.append(came)
    if not parts:
        return _nothing(chain.snapshot)
    return f"(with _touched as ({_touched(chain.steps)}) {' union all '.join(parts)})"


def keys_of(steps: Sequence[State]) -> str:
    """The keys that the differences touch, each once, as a SELECT."""
    key = _listed(steps[0].key)
    return " union ".join(f"select {key} from {_keys(step, part)}" for step, part in _parts(steps))


def _snapshot(state: State, county: str | None) -> str | None:
    if county is not None and county not in state.counties:
        return None
    return parquet(pattern(state.folder, f"county={county or '*'}", "*.parquet"))


def _nothing(snapshot: State) -> str:
    return (
        f"(select * from {parquet(pattern(snapshot.folder, 'county=*', '*.parquet'))} where false)"
    )


def _kept(relation: str, columns: Sequence[str], key: Sequence[str]) -> str:
    return (
        f"select {_listed(columns, 's')} from {relation} as s left join _touched as t on"
        f" {same(key, 's', 't')} where t._nth is null"
    )


def _came(steps: Sequence[State], county: str | None, columns: Sequence[str]) -> str:
    parts = [
        f"select {_listed(columns)}, {nth} as _nth from {_file(step, f'came-{code}.parquet')}"
        for nth, step in enumerate(steps, 1)
        for code in step.counties
        if county in (None, code)
    ]
    if not parts:
        return ""
    return (
        f"select {_listed(columns, 'c')} from ({' union all '.join(parts)}) as c inner join"
        f" _touched as t on {same(steps[0].key, 'c', 't')} and c._nth = t._nth"
    )


def _touched(steps: Sequence[State]) -> str:
    """Each key with the last difference that touches it."""
    key = _listed(steps[0].key)
    numbers = {step.day: nth for nth, step in enumerate(steps, 1)}
    parts = [
        f"select {key}, {numbers[step.day]} as _nth from {_keys(step, part)}"
        for step, part in _parts(steps)
    ]
    return (
        f"select {key}, max(_nth) as _nth from ({' union all '.join(parts)}) as every"
        f" group by {key}"
    )


def _parts(steps: Sequence[State]) -> list[tuple[State, str]]:
    return [(step, part) for step in steps for part in step.key_parts]


def _keys(state: State, part: str) -> str:
    return _file(state, f"keys-{part}.parquet")


def _file(state: State, file: str) -> str:
    return parquet(state.folder / file)


def _listed(columns: Sequence[str], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + name(column) for column in columns)


def same(key: Sequence[str], one: str, other: str) -> str:
    """Two rows of one key; an empty key column is like an empty one."""
    return " and ".join(
        f"{one}.{name(column)} is not distinct from {other}.{name(column)}" for column in key
    )


def came_of(places: Places, step: State, columns: Sequence[str]) -> str:
    """The rows that came with one difference."""
    return " union all ".join(
        f"select {_listed(columns)} from {_file(step, f'came-{code}.parquet')}"
        for code in step.counties
    )
