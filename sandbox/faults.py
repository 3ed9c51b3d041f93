"""What can go wrong on the way, on demand: plans of faults, and what each does to an answer of the
gateway.

Belongs here: plans, the names of all faults, broken answers. Not here: the sound answer
(`gateway`); how a file or a table is spoilt (`drop`, `frontdb`).

A plan is JSON: `[{"records": "settlements", "fault": "500", "at_page": 2, "times": 1}, …]`; for the
gateway `records` may be `*`, `at_page` 0 means any page, `times` -1 means for ever. Files and
database take `records` and `fault` alone.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

API_FAULTS = (
    "401",
    "clock_skew",
    "404",
    "429",
    "500",
    "503",
    "code",
    "truncated",
    "reset",
    "slow",
    "stalled",
    "repeated_page",
    "wrong_total",
    "empty_answer",
    "cursor_lost",
    "html",
)
FILE_FAULTS = (
    "growing",
    "wrong_checksum",
    "wrong_encoding",
    "missing_sheet",
    "merged_cells",
    "changed_header",
    "truncated_file",
    "empty_file",
)
"""Growing: no checksum yet. Changed header: the last column but one is called otherwise."""
DATABASE_FAULTS = ("missing_table", "missing_column", "renamed_column")
"""A database that is down is one whose address leads nowhere: `frontdb.down_url`."""
SLOW_SECONDS = 3.0


class Out(Protocol):
    """Where an answer is written to."""

    def write(self, data: bytes, /) -> Any: ...
    def flush(self) -> None: ...


@dataclass(frozen=True)
class Fault:
    """One fault of the gateway: which records, what, on which page, how often."""

    records: str
    fault: str
    at_page: int = 0
    times: int = 1

    def __post_init__(self) -> None:
        if self.fault not in API_FAULTS:
            raise ValueError(f"no fault {self.fault!r}: use one of {', '.join(API_FAULTS)}")

    def send(self, out: Out, body: bytes) -> bool:
        """Sends the body as this fault does; true where the connection must be closed after it."""
        if self.fault == "truncated":
            out.write(body[: len(body) * 2 // 3])
            return True
        if self.fault == "stalled":
            out.write(body[:10])
            out.flush()
            time.sleep(30)
            return True
        if self.fault == "slow":
            step = max(1, len(body) // 20)
            for start in range(0, len(body), step):
                out.write(body[start : start + step])
                out.flush()
                time.sleep(SLOW_SECONDS / 20)
            return False
        out.write(body)
        return False


@dataclass
class FaultPlan:
    """Faults to come; each is used up as it happens. Safe across threads."""

    faults: list[Fault] = field(default_factory=list)
    happened: list[tuple[str, str, int]] = field(default_factory=list)
    """(records, fault, page) in the order in which they happened."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @classmethod
    def of(cls, entries: Iterable[dict[str, Any]]) -> FaultPlan:
        return cls([Fault(**entry) for entry in entries])

    def take(self, records: str, page: int) -> Fault | None:
        """The fault that this page meets, if any; it has then happened once more."""
        with self._lock:
            for index, fault in enumerate(self.faults):
                if (
                    fault.times != 0
                    and fault.records in ("*", records)
                    and fault.at_page in (0, page)
                ):
                    self.faults[index] = replace(
                        fault, times=fault.times - 1 if fault.times > 0 else fault.times
                    )
                    self.happened.append((records, fault.fault, page))
                    return fault
        return None


def read_plan(path: Path) -> list[dict[str, Any]]:
    """The entries of a plan file; raises `ValueError` for a fault that nobody knows."""
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for entry in entries:
        if entry.get("fault") not in API_FAULTS + FILE_FAULTS + DATABASE_FAULTS:
            raise ValueError(
                f"no fault {entry.get('fault')!r}: use one of"
                f" {', '.join(API_FAULTS + FILE_FAULTS + DATABASE_FAULTS)}"
            )
    return entries


def faults_of(entries: list[dict[str, Any]], known: tuple[str, ...]) -> dict[str, str]:
    """Of a plan, the fault that each record type meets among those known (of files, or of
    databases).
    """
    return {
        str(entry["records"]): str(entry["fault"]) for entry in entries if entry["fault"] in known
    }


def _refusal(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "data": None}).encode()


_LOGIN = (
    "<!DOCTYPE html><html><head><title>统一身份认证平台</title></head><body><form"
    " action='/login'>请登录</form></body></html>"
)


def act(fault: Fault, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and further headers of an answer that meets the fault."""
    kind = fault.fault
    plain: dict[str, tuple[int, bytes, dict[str, str]]] = {
        "401": (401, _refusal(40102, "signature does not fit"), {}),
        "clock_skew": (401, _refusal(40104, "clock is off by more than 5 minutes"), {}),
        "404": (404, _refusal(40401, "no such record type"), {}),
        "429": (429, _refusal(42901, "too many requests"), {"Retry-After": "1"}),
        "500": (500, _refusal(50000, "internal error"), {}),
        "503": (503, _refusal(50300, "unavailable"), {}),
        "code": (200, _refusal(50001, "backend busy"), {}),
        "cursor_lost": (200, _refusal(40002, "cursor not known"), {}),
        "html": (200, _LOGIN.encode(), {"Content-Type": "text/html; charset=utf-8"}),
    }
    if kind in plain:
        return plain[kind]
    if kind in ("repeated_page", "wrong_total", "empty_answer"):
        return 200, _altered(kind, body), {}
    return 200, body, {}


def _altered(kind: str, body: bytes) -> bytes:
    """The answer with its rows twice, a total that is off by one, or no rows at all."""
    opening, rows = body.split(b'"rows": [', 1)
    rows = rows.removesuffix(b"]}}")
    if kind == "wrong_total":
        head = json.loads(opening.rstrip(b", ") + b"}}")
        head["data"]["total"] += 1
        return json.dumps(head).encode()[:-2] + b', "rows": [' + rows + b"]}}"
    doubled = rows + b"," + rows if rows and kind == "repeated_page" else b""
    return opening + b'"rows": [' + doubled + b"]}}"
