"""Questions that a drafted contract leaves to a person: comment lines that begin with `# ?`.

Belongs here: what such a line looks like, and finding those that stand. Not here: asking them (`drafting`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

QUESTION = "# ?"
_LINE = re.compile(r"\s*#\s*\?\s*(.*)")


@dataclass(frozen=True)
class Question:
    """A question that nobody has answered yet."""

    line: int
    text: str


def standing_questions(path: Path) -> tuple[Question, ...]:
    """The questions that stand in a contract's file, in the order of its lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = ((number, _LINE.fullmatch(line)) for number, line in enumerate(lines, 1))
    return tuple(Question(number, match[1]) for number, match in found if match)
