"""What was asked: arguments of the command line, and what make hands over for those left empty.

Belongs here: the parser and its help, made from the declarations. Not here: the declarations
(`table`), running (`pipelines.__main__`).
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NoReturn

from expectations.errors import BAD_SETTINGS, EXIT_STATUSES, FAILED, LOCKED
from expectations.nearest import did_you_mean
from pipelines.command_line.declared import GROUPS, Argument, Command
from pipelines.command_line.table import COMMANDS
from pipelines.command_line.typed import UsageError

INTRODUCTION = """One household: which families are about to fall back into poverty.
make <command> VARIABLE=… does the same; every setting stands in .env.example."""


def parse(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> argparse.Namespace:
    """The command and its arguments, `sys.argv`'s by default.

    Raises:
        UsageError: something is needed and was not typed, or does not fit.
        SystemExit: for `--help`, and for what no command knows (status 2).
    """
    asked = parser().parse_args(arguments)
    command = COMMANDS[asked.command]
    refuse_strange(command, environment)
    fill(command, asked, environment)
    return asked


class Parser(argparse.ArgumentParser):
    """Says what was probably meant where something is not known."""

    def error(self, message: str) -> NoReturn:
        strange = re.match(r"argument <command>: invalid choice: '(.*?)'", message)
        if strange is not None:
            message = f"there is no command {strange[1]!r}{did_you_mean(strange[1], COMMANDS)}"
        unknown = re.match(r"unrecognized arguments: (--[a-z-]+)", message)
        if unknown is not None:
            message += did_you_mean(unknown[1], self._flags())
        self.exit(
            BAD_SETTINGS, f"yihu: {message}; {self.prog.partition(' ')[0]} --help lists all\n"
        )

    def _flags(self) -> list[str]:
        return [argument.flag for command in COMMANDS.values() for argument in command.arguments]


def refuse_strange(command: Command, environment: Mapping[str, str]) -> None:
    """Raises `UsageError` for a variable of make that the command does not take, and would be
    typed in vain.
    """
    taken = {argument.variable for argument in command.arguments} | OF_MAKE
    if "WHY" in taken:
        taken.add("WHY_FILE")
    typed = [name for name in _typed_for_make(environment) if not name.startswith("YIHU_")]
    for name in typed:
        if name not in taken:
            meant = did_you_mean(name, taken - OF_MAKE)
            takes = ", ".join(sorted(taken - OF_MAKE)) or "nothing"
            raise UsageError(f"make {command.name} takes no {name}{meant}:", f"it takes {takes}")


OF_MAKE = frozenset({"SHELL", "UV", "RUN", "YIHU", "MAKEFLAGS", "V"})
"""Variables of make that are nobody's argument."""


def _typed_for_make(environment: Mapping[str, str]) -> list[str]:
    """The names of the variables that stood on make's command line."""
    given = environment.get("MAKEFLAGS", "").partition("-- ")[2]
    try:
        words = shlex.split(given.replace("\\#", "#"))
    except ValueError:
        words = given.split()
    return [found[1] for word in words if (found := re.match(r"([A-Za-z_]\w*)\??\+?:*=", word))]


def parser() -> argparse.ArgumentParser:
    """The one parser: every command with its help."""
    layout = argparse.RawDescriptionHelpFormatter
    made = Parser(
        "yihu",
        description=INTRODUCTION,
        epilog=_listed(),
        formatter_class=layout,
    )
    subparsers = made.add_subparsers(dest="command", required=True, metavar="<command>")
    for command in COMMANDS.values():
        sub = subparsers.add_parser(
            command.name,
            description=command.does,
            epilog="\n".join(
                [
                    "example:",
                    *(f"  {line}" for line in examples(command)),
                    "",
                    "exit status:",
                    *_statuses(command),
                ]
            ),
            formatter_class=layout,
        )
        for argument in command.arguments:
            _add(sub, argument)
    return made


def _add(sub: argparse.ArgumentParser, argument: Argument) -> None:
    said = argument.help + (f"; default: {argument.default}" if argument.default != "" else "")
    if argument.is_switch:
        flags = [argument.flag, *([argument.short] if argument.short else [])]
        sub.add_argument(*flags, dest=argument.name, action="store_true", help=said)
    elif argument.is_list:
        sub.add_argument(
            argument.flag,
            dest=argument.name,
            action="extend",
            nargs="*",
            default=[],
            metavar=argument.variable,
            help=said,
        )
    else:
        sub.add_argument(
            argument.flag,
            dest=argument.name,
            default="",
            metavar=argument.variable,
            help=said,
        )


def examples(command: Command) -> list[str]:
    """The command's example, for the command line and for make."""
    return [command.example_line(), *([command.example_of_make()] if command.target else [])]


def exit_statuses(command: Command) -> dict[int, str]:
    """What the command's exit statuses mean."""
    meant = dict(EXIT_STATUSES)
    if not command.takes_lock:
        meant.pop(LOCKED)
    return {
        **meant,
        FAILED: f"it failed, or {command.failed}" if command.failed else "it failed; see its line",
    }


def _statuses(command: Command) -> list[str]:
    return [f"  {status}  {said}" for status, said in exit_statuses(command).items()]


def _listed() -> str:
    lines = []
    for group, title in GROUPS.items():
        lines += [f"{title}:"]
        own = (command for command in COMMANDS.values() if command.group == group)
        lines += [f"  {command.name:<16}{command.does}" for command in own]
        lines += [""]
    return "\n".join(
        [
            *lines,
            "yihu <command> --help has each one's arguments, an example, and its exit statuses.",
        ]
    )


def fill(command: Command, asked: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Fills what was left empty with what was typed for make, then with the defaults."""
    for argument in command.arguments:
        given = getattr(asked, argument.name)
        typed = environment.get(argument.handed_over, "")
        setattr(asked, argument.name, _value(command, argument, given or _from(argument, typed)))


def _from(argument: Argument, typed: str) -> str | list[str] | bool:
    if argument.is_switch:
        return bool(typed.strip())
    return typed.split() if argument.is_list else typed


def _value(command: Command, argument: Argument, given: str | list[str] | bool) -> object:
    if given in ("", None) and argument.is_needed:
        raise UsageError(
            f"{argument.variable} is missing:",
            f"make {command.name} {argument.variable}=…",
        )
    if not isinstance(given, str):
        return given
    if given == "":
        return None if argument.number and argument.default == "" else argument.default
    if argument.choices and given not in argument.choices:
        raise UsageError(
            f"{argument.variable} is {given!r}:",
            f"use one of {', '.join(argument.choices)}",
        )
    if argument.number and not given.isdecimal():
        raise UsageError(
            f"{argument.variable} is {given!r}, which is no {argument.number}:",
            argument.help,
        )
    return int(given) if argument.number else given
