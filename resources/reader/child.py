"""The child process: bound by limits, it opens files and sends their cells through a pipe.

Belongs here: limits, commands, frames. Not here: the parent's side
(`resources.departments.opened`).

Started as `python -I child.py`. A command is a JSON line: `limits` first, then `open` (a file),
`rows`, `damage`, `next` (the archive's next table). An answer is one or more frames of msgpack,
each behind its length in 8 bytes.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from resources.reader.forms import open_file
from resources.reader.table import Opened, Wanted
from resources.reader.unreadable import Unreadable

OUT_OF_MEMORY = 71
"""How the child ends where it was given too little memory; a library may also abort it."""

_encode = msgspec.msgpack.Encoder().encode


class Server:
    """Answers commands about one file at a time."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._tables: Iterator[tuple[str | None, Opened]] = iter(())
        self._opened: Opened | None = None

    def answer(self, command: dict[str, Any]) -> None:
        try:
            match command.pop("do"):
                case "open":
                    self._tables = open_file(Wanted(**command))
                    self._next()
                case "next":
                    self._next()
                case "rows":
                    self._rows(**command)
                case "damage":
                    self._send(_of(self._opened).damage(**command))
        except Unreadable as error:
            self._send({"fault": [error.reason, error.said, error.next_step]})
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            # a library's text may quote a cell: its class says enough
            said = f"the file is damaged ({type(error).__name__})"
            self._send({"fault": ["damaged_file", said, "have the department send it anew"]})

    def _next(self) -> None:
        self._opened = None
        member, self._opened = next(self._tables, (None, None))
        if self._opened is None:
            self._send(None)
            return
        opened = self._opened
        self._send(
            {
                "member": member,
                "format": opened.format,
                "encoding": opened.encoding,
                "is_1904": opened.is_1904,
                "sheets": opened.sheets,
            }
        )

    def _rows(self, sheet: int, after: int, width: int) -> None:
        opened = _of(self._opened)
        for chunk in opened.chunks(sheet, after, width):
            self._send(chunk)
        self._send({"illegal": opened.illegal()})

    def _send(self, what: Any) -> None:
        frame = _encode(what)
        self._target.write(struct.pack("<Q", len(frame)))
        self._target.write(frame)
        self._target.flush()


def _of(opened: Opened | None) -> Opened:
    assert opened is not None
    return opened


def _bind(memory: int, seconds: int, unpacked: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # the hard limit later than the soft one: at both at once the kernel kills, which looks like too
    # much memory
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (unpacked, unpacked))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    server = Server(sys.stdout.buffer)
    limits = json.loads(sys.stdin.readline())
    _bind(**limits)
    for line in sys.stdin:
        server.answer(json.loads(line))


if __name__ == "__main__":
    main()
