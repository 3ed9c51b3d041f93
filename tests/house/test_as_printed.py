"""Every command that README and docs print is one: make knows its target, the command takes what is
typed, and each flag and variable is its own.

Run for real: `tests/trying/test_add_a_source.py` (its page), `tests/warehouse/test_consumers.py`
(every query), `tests/operating/test_week.py` (a week of them).
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from expectations.errors import UsageError
from pipelines.command_line.parser import parse
from pipelines.command_line.table import COMMANDS
from pipelines.development.documented import make_targets
from resources.settings import ROOT, known_settings

PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4,}).*$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(
    r"(?:^|[|&;] *|\$ )((?:YIHU_[A-Z_]+=\S+ )*(?:make(?: -s)?|\./yihu|yihu) [a-z][a-z-]+.*)$"
)
ELIDED = re.compile(r"(?<! --household)\s+…$")
"""What is left out at the end, but the value of a flag."""


def printed(page: Path) -> Iterator[str]:
    """The commands of a page, as they stand in its code."""
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    lines = [line for block in (*blocks, *INDENTED.findall(text)) for line in block.splitlines()]
    for line in (*lines, *SPAN.findall(text)):
        found = COMMAND.search(line.strip())
        if found is not None:
            yield ELIDED.sub("", found[1].partition("  #")[0].rstrip("; "))


COMMANDS_PRINTED = sorted({(page.name, command) for page in PAGES for command in printed(page)})


def typed(words: list[str]) -> dict[str, str]:
    """What make hands over of the variables on its command line."""
    pairs = (word.partition("=") for word in words if "=" in word)
    return {
        "YIHU_AS_OF" if name == "AS_OF" else f"YIHU_TYPED_{name}": value or "x"
        for name, _, value in pairs
    }


def of_target(target: str) -> str | None:
    return next((name for name, command in COMMANDS.items() if command.target == target), None)


def words_of(command: str) -> list[str]:
    """The words up to what ends a command for a shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(takewhile(lambda word: not set(word) <= set(";|&<>"), lexer))


def wrong_with(command: str) -> str | None:
    """What is wrong with a printed command; None where nothing is."""
    words = words_of(re.sub(r"<[^<>]+>", "x", command))
    while words and words[0].startswith("YIHU_"):
        name = words.pop(0).partition("=")[0]
        if name not in known_settings():
            return f"{name} is no setting"
    if words[0] == "make":
        words = [word for word in words[1:] if word != "-s"]
        if words[0] not in make_targets():
            return f"make has no {words[0]}"
        name = of_target(words[0])
        # in what a command says, a sentence goes on behind its variables
        words = list(takewhile(lambda word: "=" in word, words[1:]))
        given = typed(words)
        if name is None:
            return None
        line = {"MAKEFLAGS": "s -- " + " ".join(shlex.quote(w) for w in words if "=" in w)}
        return parsed([name], {**given, **line}, is_elided="…" in command or not given)
    if words[1] not in COMMANDS:
        return f"there is no command {words[1]}"
    return parsed(words[1:], {}, is_elided="…" in command)


def parsed(words: list[str], environment: dict[str, str], *, is_elided: bool) -> str | None:
    try:
        parse(["x" if word == "…" else word for word in words], environment)
    except UsageError as error:
        # a sentence about a command does not repeat what it needs
        if " is missing:" in str(error) or (is_elided and "which is no" in str(error)):
            return None
        return str(error)
    except SystemExit as ended:
        return None if ended.code == 0 else "its flags are not taken"
    return None


def test_there_are_commands_on_every_page_that_tells_how() -> None:
    pages = {page for page, _ in COMMANDS_PRINTED}
    assert {"README.md", "operate.md", "deploy.md", "commands.md", "rules.md"} <= pages
    assert len(COMMANDS_PRINTED) > 100


@pytest.mark.parametrize("page", sorted({page for page, _ in COMMANDS_PRINTED}))
def test_what_is_printed_is_a_command(page: str) -> None:
    found = {
        command: wrong
        for of, command in COMMANDS_PRINTED
        if of == page and (wrong := wrong_with(command)) is not None
    }
    assert found == {}


def test_what_is_none_would_be_found() -> None:
    assert wrong_with("make sink AS_OF=2026-11-20") == "make has no sink"
    assert "takes no ASOF" in str(wrong_with("make sync ASOF=2026-11-20"))
    assert wrong_with("./yihu sync --asof 2026-11-20") == "its flags are not taken"
    assert wrong_with("YIHU_HOMES=x make sync") == "YIHU_HOMES is no setting"


def test_make_itself_takes_every_target() -> None:
    """Without running one: the Makefile is whole."""
    targets = sorted(make_targets())
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *targets],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
