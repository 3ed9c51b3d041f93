"""Words typed by people: they come by the environment, a file or a prompt, and never pass through a shell.

Belongs here: taking them. Not here: what is done with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

TYPED = {
    "by": "BY",
    "why": "WHY",
    "login": "LOGIN",
    "role": "ROLE",
    "person": "PERSON",
    "officer": "OFFICER",
    "area": "AREA",
    "department": "DEPARTMENT",
    "until": "UNTIL",
    "household": "HOUSEHOLD",
    "records": "RECORDS",
    "batch": "BATCH",
    "gate": "GATE",
    "seal": "SEAL",
    "to": "TO",
    "out": "OUT",
    "rules": "RULES",
    "source": "FROM",
    "name": "NAME",
    "columns": "COLUMNS",
}
"""Argument → the variable that the Makefile hands over as it was typed, as `YIHU_TYPED_<variable>`."""
LISTS = ("area", "department", "seal", "columns")
NEEDED = {
    "grant": ("login", "role"),
    "login": ("login", "role", "person"),
    "revoke": ("login",),
    "who-looked": ("household",),
    "extract": ("name",),
    "explain": ("household",),
    "replay": ("records",),
    "move-warehouse": ("to",),
    "rules-diff": ("rules",),
    "backup": ("out",),
    "restore": ("source",),
}


class UsageError(ValueError):
    """The command was called with something that does not fit; says what to write."""


def fill(asked: argparse.Namespace) -> None:
    """Fills the arguments that the command line left empty with what was typed for `make`.

    Raises:
        UsageError: where something is needed and was not typed, or is no number.
    """
    for name, variable in TYPED.items():
        if not hasattr(asked, name) or getattr(asked, name):
            continue
        text = os.environ.get(f"YIHU_TYPED_{variable}", "")
        if name in LISTS:
            setattr(asked, name, text.split())
        elif asked.command == "rollback" and name == "to":
            asked.to = _number(variable, text)
        elif text:
            setattr(asked, name, text)
        elif name in NEEDED.get(asked.command, ()):
            raise UsageError(f"{variable} is missing: make {asked.command} {variable}=…")


def said(variable: str, text: str, prompt: str) -> str:
    """What was typed for a variable, else what stands in the file that `<variable>_FILE` names, else the answer to a prompt."""
    file = os.environ.get(f"YIHU_TYPED_{variable}_FILE") or os.environ.get(f"{variable}_FILE")
    if not text.strip() and file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{variable}_FILE is {file!r}, which cannot be read as text") from None
    if not text.strip() and sys.stdin.isatty():
        text = input(prompt)
    return text.strip()


def _number(variable: str, text: str) -> int | None:
    if text and not text.isdecimal():
        raise UsageError(f"{variable} is {text!r}, which is no release number: see yihu.release")
    return int(text) if text else None
