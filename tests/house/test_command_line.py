"""One command line: each command declared once, the same by flags and by make, light until it
runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from expectations.errors import EXIT_STATUSES, UsageError
from pipelines.command_line.declared import GROUPS, Command, given_words, typed_text
from pipelines.command_line.parser import exit_statuses, parse
from pipelines.command_line.table import COMMANDS
from pipelines.development.documented import make_targets
from resources.settings import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
HEAVY = ("dagster", "duckdb", "pandas", "pyarrow", "sqlalchemy", "great_expectations", "yaml")


def recipes() -> dict[str, list[str]]:
    """The lines of each target's recipe, but of those that make files."""
    found: dict[str, list[str]] = {}
    rules = re.compile(r"^([a-z][a-z-]*):(?!=).*\n((?:\t.*\n)*)", re.MULTILINE)
    for target, text in rules.findall(MAKEFILE):
        found[target] = text.splitlines()
    return found


def flags(command: Command) -> list[str]:
    """The example as flags, word by word."""
    words = [command.name]
    for argument in command.arguments:
        value = command.example.get(argument.name)
        if value is not None:
            words += [argument.flag, *given_words(value)]
    return words


def test_every_target_of_make_says_what_it_does_and_stands_in_the_docs() -> None:
    said = make_targets()
    assert [target for target in recipes() if not said.get(target)] == []
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [target for target in said if not re.search(rf"\bmake {target}\b", page)] == []
    phony = " ".join(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)).split()
    assert sorted(phony) == sorted(recipes())


def test_every_command_is_called_by_its_target_with_nothing_added() -> None:
    texts = {target: "\n".join(lines) for target, lines in recipes().items()}
    called = {target: re.findall(r"\$\(YIHU\)(.*)", text) for target, text in texts.items()}
    assert {target: words for target, words in called.items() if words} == {
        str(command.target): [f" {command.name}"] for command in COMMANDS.values() if command.target
    }
    assert [
        t for t, text in texts.items() if re.search(r"python -m (pipelines|bench)\b", text)
    ] == []


def test_make_hands_over_what_commands_take_and_nothing_else() -> None:
    listed = re.search(r"^TYPED := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert listed is not None
    taken = {argument.variable for command in COMMANDS.values() for argument in command.arguments}
    assert set(listed[1].replace("\\\n", " ").split()) == (taken - {"AS_OF"}) | {"WHY_FILE"}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_is_whole(command: Command) -> None:
    module, _, name = command.runs.partition(":")
    function = getattr(import_module(module), name)
    *before, _ = signature(function).parameters
    assert before == ([] if command.settings == "none" else ["settings"])
    assert command.does.endswith(".")
    assert command.group in GROUPS
    needed = {argument.name for argument in command.arguments if argument.is_needed}
    assert needed <= set(command.example)
    assert set(command.example) <= {argument.name for argument in command.arguments}
    assert {0, 1, 2} <= set(exit_statuses(command)) <= set(EXIT_STATUSES)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_the_example_says_the_same_by_flags_and_by_make(command: Command) -> None:
    typed = {
        argument.handed_over: typed_text(command.example[argument.name])
        for argument in command.arguments
        if argument.name in command.example
    }
    by_make = vars(parse([command.name], typed))
    assert vars(parse(flags(command), {})) == by_make
    # what was typed on the command line counts before what stands in the environment
    assert vars(parse(flags(command), dict.fromkeys(typed, "7"))) == by_make


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_help_has_every_argument_an_example_and_the_exit_statuses(
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([command.name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert command.example_line() in said
    assert "exit status:" in said
    assert [argument.flag for argument in command.arguments if argument.flag not in said] == []


NEEDED = [
    (command.name, argument.variable)
    for command in COMMANDS.values()
    for argument in command.arguments
    if argument.is_needed
]  # fmt: skip


@pytest.mark.parametrize(("name", "variable"), NEEDED)
def test_what_is_missing_is_named_as_make_takes_it(name: str, variable: str) -> None:
    command = COMMANDS[name]
    others = [argument for argument in command.arguments if argument.variable != variable]
    given = {argument.handed_over: "7" for argument in others}
    with pytest.raises(UsageError, match=rf"^{variable} is missing: make {name} {variable}=…$"):
        parse([name], given)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["explain", "--household", "1", "--days", "soon"],
            "DAYS is 'soon', which is no number of days: how many days back",
        ),
        (["ui", "--port", "-1"], "PORT is '-1', which is no port"),
        (["ui-user", "--right", "owner"], "RIGHT is 'owner': use one of operator, reader"),
    ],
)
def test_what_does_not_fit_says_what_does(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse(words, {})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["snyc"], "there is no command 'snyc' (did you mean sync?)"),
        (["xyz"], "there is no command 'xyz'; yihu --help"),
        (["sync", "--as-off", "2026-11-20"], "--as-off 2026-11-20 (did you mean --as-of?)"),
    ],
)
def test_what_nobody_knows_says_what_was_meant(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words, {})
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "typed", "said"),
    [
        (
            "sync",
            "ASOF=2026-11-20",
            "make sync takes no ASOF (did you mean AS_OF?): it takes AS_OF",
        ),
        ("status", "AS_OF=2026-11-20", "make status takes no AS_OF: it takes nothing"),
        ("rollback", "WHO=me WHY=it\\ is", "make rollback takes no WHO (did you mean WHY?): it"),
        ("rollback", "BY=me WHY_FILE=why.txt", ""),
        ("sync", "YIHU_FORM=api UV=uv VERBOSE=yes", ""),
    ],
)
def test_a_variable_that_the_command_does_not_take_is_refused(
    command: str, typed: str, said: str
) -> None:
    """As make hands them over: the options first, then what was typed."""
    environment = {"MAKEFLAGS": f"s -- {typed}"}
    if not said:
        parse([command], environment)
        return
    with pytest.raises(UsageError, match=re.escape(said)):
        parse([command], environment)


def test_help_lists_every_command_by_group_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pipelines.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print('heavy:', [m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"
    listed = set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE))
    assert set(COMMANDS) <= listed
    for group, title in GROUPS.items():
        under = done.stdout.partition(f"{title}:\n")[2].partition("\n\n")[0]
        ours = {command.name for command in COMMANDS.values() if command.group == group}
        assert set(re.findall(r"^  ([a-z-]+) ", under, re.MULTILINE)) == ours


def test_whoever_has_read_enough_sees_no_traceback() -> None:
    """As `yihu … | head -1` leaves it: nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "--help"],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.stderr == ""


def test_the_script_runs_from_any_folder_with_the_settings_of_a_file(tmp_path: Path) -> None:
    """As from a clone: what make reads out of `.env`, the script has too."""
    clone = tmp_path / "it's a clone"
    (clone / ".venv" / "bin").mkdir(parents=True)
    for name in ("yihu", "Makefile", "pyproject.toml", "uv.lock"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    (clone / "yihu").chmod(0o755)
    (clone / ".venv" / ".ready").touch()
    python = clone / ".venv" / "bin" / "python"
    shown = '"$YIHU_HOME" "$YIHU_FILE_PASSWORD_HOUSING" "$PYTHONPATH" "$PWD" "$@"'
    python.write_text(f'#!/bin/bash\nprintf "%s|" {shown}\n')
    python.chmod(0o755)
    (clone / ".env").write_text("YIHU_HOME=/srv/y\nYIHU_FILE_PASSWORD_HOUSING=it's $$5\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ours = re.compile("YIHU_|PYTHONPATH|MAKE|MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not ours.match(name)}
    done = subprocess.run(
        [str(clone / "yihu"), "try", "--file", 'a "b" $c.xlsx'],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    words = ["-P", "-m", "pipelines", "try", "--file", 'a "b" $c.xlsx']
    assert done.stdout.split("|")[:-1] == [
        "/srv/y",
        "it's $5",
        str(clone),
        str(elsewhere),
        *words,
    ], done.stderr
