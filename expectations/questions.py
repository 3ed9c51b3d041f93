"""Questions that a drafted contract leaves to a person: comment lines that begin with `# ?`.

Belongs here: what such a line looks like, and finding those that stand. Not here: asking them
(`drafting`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
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
    """The questions that stand in a contract's file, in the order of its lines;
    none where there is no file.
    """
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    found = ((number, _LINE.fullmatch(line)) for number, line in enumerate(lines, 1))
    return tuple(Question(number, match[1]) for number, match in found if match)


def main(paths: Sequence[str]) -> int:
    """Names every question that stands in the contracts; exit status 1 where there is one."""
    found = [(path, question) for path in paths for question in standing_questions(Path(path))]
    for path, question in found:
        print(f"{path}:{question.line}: a question of the draft stands: {question.text}")
    if found:
        print(
            f"contracts: {len(found)} questions stand; answer each in its file, and delete its line"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
