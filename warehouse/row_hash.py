"""A row's hash, and the digest of rows: the sum of their hashes,
which is the same in any order, on any engine, and can be taken on from a difference.

Belongs here: the text that is hashed, and adding up. Not here: which rows (`publication.content`,
`resources.lake`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from expectations.engine import name

HASH = pa.binary(16)
NOTHING = bytes(16).hex()
"""The digest of no rows."""


def text_of(column: str, kind: str) -> str:
    """The canonical text of a column, by its type as PostgreSQL or the engine calls it."""
    quoted, kind = name(column), kind.lower()
    if kind.endswith("[]"):
        return f"array_to_string({quoted}, chr(31))"
    if kind == "boolean":
        return f"case when {quoted} then 'true' when not {quoted} then 'false' end"
    return quoted if kind in ("text", "jsonb", "varchar") else f"cast({quoted} as varchar)"


def hash_of(texts: Iterable[str]) -> str:
    """The hash of a row as SQL: nulls and fields are marked."""
    marked = ", ".join(f"coalesce({text}, chr(29))" for text in texts)
    return f"unhex(md5(concat_ws(chr(30), {marked})))"


def row_hash(columns: Sequence[tuple[str, str]]) -> str:
    """The hash of a row of these columns (name, type) as SQL; of a list its length too, so that no
    element is not the same as an empty one.
    """
    return hash_of(_counted(column, kind) for column, kind in columns)


def _counted(column: str, kind: str) -> str:
    text = text_of(column, kind)
    if not kind.endswith("[]"):
        return text
    length = f"cast(array_length({name(column)}) as varchar)"
    return f"case when {name(column)} is not null then concat({length}, ':', {text}) end"


@dataclass(frozen=True)
class Sum:
    """Rows and the sum of their hashes, as two numbers of 64 bits; a difference may be below 0."""

    rows: int
    digest: str

    def plus(self, more: Sum) -> Sum:
        added = _numbers(self.digest) + _numbers(more.digest)
        return Sum(self.rows + more.rows, added.tobytes().hex())

    def minus(self, less: Sum) -> Sum:
        taken = _numbers(self.digest) - _numbers(less.digest)
        return Sum(self.rows - less.rows, taken.tobytes().hex())


NO_ROWS = Sum(0, NOTHING)


def _numbers(digest: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(digest), dtype="<u8")


def octets(hashes: pa.Array) -> np.ndarray:
    """The 16 octets of each hash."""
    plain = hashes.cast(HASH)
    found = np.frombuffer(plain.buffers()[1], dtype=np.uint8)
    return found[16 * plain.offset : 16 * (plain.offset + len(plain))].reshape(-1, 16)


def summed(batches: Iterable[pa.RecordBatch]) -> Sum:
    """Adds up batches of `row_hash` and, where there is a second column,
    how often each counts (below 0: taken off).
    """
    total, rows = np.zeros(2, dtype="<u8"), 0
    for batch in batches:
        if not batch.num_rows:
            continue
        numbers = octets(batch.column(0)).copy().view("<u8").reshape(-1, 2)
        if batch.num_columns > 1:
            times = batch.column(1).cast(pa.int64()).to_numpy(zero_copy_only=False)
            rows += int(times.sum())
            numbers = numbers * times.astype("<i8").view("<u8").reshape(-1, 1)
        else:
            rows += len(numbers)
        total += numbers.sum(axis=0, dtype="<u8")
    return Sum(rows, total.tobytes().hex())
