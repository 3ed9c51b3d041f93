"""The lake's notes: a small JSON file a day, beside the tables.

Belongs here: notes, and where they are looked for. Not here: the rows of a day (`lake`).
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from resources.lake.beside import GONE, Line, line_in_force
from resources.lake.states import Places


class Notes:
    """The folder tree, and its notes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.chmod(0o700)
        self._line: Line | None = None
        self._sees(line_in_force(root))

    def _sees(self, line: Line | None) -> None:
        """From here on the line's days take the place of the lake's."""
        self._line = line
        self._places = Places(self.root, None if line is None else line.root)
        self._kept = set[tuple[str, str, date]]()

    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> Path:
        """A day's JSON note (`<layer>/<table>/as_of=YYYY-MM-DD.json`), replaced whole."""
        text = json.dumps(note, ensure_ascii=False, indent=1, default=str)
        return self._put_note(layer, table, as_of, text)

    def _put_note(self, layer: str, table: str, as_of: date, text: str) -> Path:
        path = self._note_roots(layer)[0] / layer / table / f"as_of={as_of.isoformat()}.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = path.with_suffix(f".{uuid.uuid4().hex[:8]}.tmp")
        work.write_text(text, encoding="utf-8")
        work.chmod(0o600)
        os.replace(work, path)
        return path

    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None:
        for root in self._note_roots(layer):
            path = root / layer / table / f"as_of={as_of.isoformat()}.json"
            if path.exists():
                note: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8"))
                return note
        return None

    def remove_note(self, layer: str, table: str, as_of: date) -> None:
        """Gives up a day's note, where there is one."""
        if self.read_note(layer, table, as_of) is None:
            return
        if len(self._note_roots(layer)) > 1:
            self._put_note(layer, table, as_of, GONE)
        else:
            (self.root / layer / table / f"as_of={as_of.isoformat()}.json").unlink(missing_ok=True)

    def latest_note(self, layer: str, table: str, before: date) -> dict[str, Any] | None:
        """The newest note of a day strictly before `before`."""
        day = max((d for d in self.note_days(layer, table) if d < before), default=None)
        return None if day is None else self.read_note(layer, table, day)

    def note_days(self, layer: str, table: str) -> list[date]:
        found = {
            date.fromisoformat(path.name[6:16])
            for root in self._note_roots(layer)
            for path in (root / layer / table).glob("as_of=*.json")
        }
        if len(self._note_roots(layer)) == 1:
            return sorted(found)
        return sorted(day for day in found if self.read_note(layer, table, day) is not None)

    def _note_roots(self, layer: str) -> tuple[Path, ...]:
        """Where notes are looked for, first where they are written; what was read is the lake's
        own.
        """
        if self._line is None or layer == "raw":
            return (self.root,)
        return (self._line.root, self.root)
