"""A delivered file as the child process opens it: its tables, and their rows in chunks.

Belongs here: starting, bounding and asking the child; its death as one clear fault. Not here: what
the child does (`resources.reader`), what the cells mean (`tabular`).
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from resources.departments.errors import Fault
from resources.reader import child
from resources.reader.table import Chunk, Damage, Sheet

SECONDS = 1800
"""Seconds of computing that the reading of one delivery may take;
a CSV of 2 GB takes about one hundred.
"""
WALL = 2
"""How many times as long it may last by the clock: a busy machine gives a child half a core."""
UNPACKED = 4 << 30

_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True)
class Limits:
    """What a child may use."""

    memory: int
    """Bytes of address space."""
    seconds: int = SECONDS
    unpacked: int = UNPACKED
    """Bytes that an archive or a workbook may unpack to."""


@dataclass(frozen=True)
class OpenedFile:
    """One file, or one member of an archive, open in the child."""

    member: str | None
    format: str
    encoding: str | None
    is_1904: bool
    sheets: tuple[Sheet, ...]


class Child:
    """The process that reads the files of one delivery, one file at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._is_late = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", child.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a library that dies may print a cell
                env={
                    "PATH": "/usr/bin:/bin",
                    "LC_ALL": "C.UTF-8",
                },  # no secrets for what reads strange bytes
            )
        except OSError as error:
            said = f"the process that reads files cannot be started ({type(error).__name__})"
            raise Fault(
                "again",
                "no_reader",
                said,
                "see whether the machine has memory left; the next run reads it",
            ) from None
        self._watch = threading.Timer(limits.seconds * WALL, self._end)
        self._watch.daemon = True
        self._watch.start()
        self._ask({"memory": limits.memory, "seconds": limits.seconds, "unpacked": limits.unpacked})

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._watch.cancel()
        self._process.kill()
        self._process.communicate()

    def open(self, path: Path, **how: Any) -> Iterator[OpenedFile]:
        """The tables of a file: one, or those of an archive one after another. Raises `Fault`."""
        self._ask({"do": "open", "path": str(path), "unpacked": self._limits.unpacked, **how})
        while (answer := self._answer()) is not None:
            yield msgspec.convert(answer, OpenedFile)
            self._ask({"do": "next"})

    def rows(self, sheet: int, after: int, width: int) -> Iterator[Chunk | list[tuple[int, int]]]:
        """The rows below line `after`, at last line and offset of bytes that were no characters.

        Raises `Fault`.
        """
        self._ask({"do": "rows", "sheet": sheet, "after": after, "width": width})
        while "illegal" not in (answer := self._answer()):
            yield Chunk(**answer)
        yield [(line, offset) for line, offset in answer["illegal"]]

    def damage(self, sheet: int) -> Damage:
        self._ask({"do": "damage", "sheet": sheet})
        return msgspec.convert(self._answer(), Damage)

    def _ask(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        head = self._process.stdout.read(8)
        body = self._process.stdout.read(struct.unpack("<Q", head)[0]) if len(head) == 8 else b""
        if not body:
            raise self._death()
        answer = _decode(body)
        if isinstance(answer, dict) and "fault" in answer:
            reason, said, next_step = answer["fault"]
            raise Fault("none", reason, said, next_step)
        return answer

    def _end(self) -> None:
        self._is_late = True
        self._process.kill()

    def _death(self) -> Fault:
        code = self._process.wait()
        step = "have the department send it without blanks, or in parts"
        if self._is_late or code == -24:  # SIGXCPU
            return Fault(
                "none",
                "too_slow",
                f"the file was not read within {self._limits.seconds} seconds",
                step,
            )
        memory = f"{self._limits.memory / 1e9:.3g} GB"
        said = f"the file cannot be read within {memory} of memory"
        return Fault("none", "too_large", said, f"{step}, or raise YIHU_READER_MEMORY")
