"""Words typed by people: they come by the environment, a file or a prompt,
and never pass through a shell.

Belongs here: asking for one that was not typed. Not here: arguments (`command_line`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from expectations.errors import UsageError


def ask_for(variable: str, text: str, prompt: str) -> str:
    """What was typed for a variable, else what stands in the file that `<variable>_FILE` names,
    else the answer to a prompt.
    """
    file = os.environ.get(f"YIHU_TYPED_{variable}_FILE") or os.environ.get(f"{variable}_FILE")
    if not text.strip() and file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(
                f"{variable}_FILE is {file!r}, which cannot be read as text",
                "name a text file in UTF-8",
            ) from None
    if not text.strip() and sys.stdin.isatty():
        text = input(prompt)
    return text.strip()
