"""What is declared of a command: its group, what it does and takes, an example, its exit status.

Belongs here: the form of a declaration. Not here: the commands (`table`), parsing (`parser`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Given = str | bool | Sequence[str]
"""A value in an example: a text, a switch, several texts."""

GROUPS: Mapping[str, str] = {
    "operate": "Operating: the day, what it came to, and what to do about it",
    "access": "Access: who may see what, and who looked",
    "sources": "Sources and rules: tried before they count",
    "schedules": "Schedules: what the daemon of `ui` does by itself, by hand",
    "develop": "Developer's tools",
}


@dataclass(frozen=True)
class Argument:
    """What a command takes: `--flag` by itself, `VARIABLE=` with make, handed over as typed."""

    flag: str
    variable: str
    help: str
    default: str | int = ""
    is_needed: bool = False
    is_list: bool = False
    is_switch: bool = False
    number: str = ""
    """What the number is called, where it is a whole number."""
    choices: tuple[str, ...] = ()
    dest: str = ""
    short: str = ""
    """A letter for it, as `-v`."""

    @property
    def name(self) -> str:
        """The attribute in which the command finds it."""
        return self.dest or self.flag.removeprefix("--").replace("-", "_")

    @property
    def handed_over(self) -> str:
        """The environment's variable by which make hands it over."""
        return "YIHU_AS_OF" if self.variable == "AS_OF" else f"YIHU_TYPED_{self.variable}"


@dataclass(frozen=True)
class Command:
    """One command. `runs`: `module:function`, imported when it runs, called with settings and
    arguments (without the settings where it needs none)."""

    name: str
    group: str
    does: str
    runs: str
    arguments: tuple[Argument, ...] = ()
    example: Mapping[str, Given] = field(default_factory=dict)
    settings: Literal["prepared", "loaded", "none"] = "prepared"
    """Whether it gets the settings, and Dagster's home prepared."""
    failed: str = ""
    """What exit status 1 says besides that it failed."""
    takes_lock: bool = False
    """Whether it ends with exit status 3 while a run goes on."""
    is_of_make: bool = True
    """Whether `make <name>` calls it; of the developer's tools, `make_target` does."""
    make_target: str = ""

    @property
    def target(self) -> str | None:
        """The make target that calls it."""
        return (self.make_target or self.name) if self.is_of_make else None

    def example_line(self) -> str:
        """The example for the command line."""
        words = ["yihu", self.name]
        for argument in self.arguments:
            value = self.example.get(argument.name)
            if value is None:
                continue
            words += [argument.flag, *map(shlex.quote, given_words(value))]
        return " ".join(words)

    def example_of_make(self) -> str:
        """The example for make."""
        words = ["make", self.target or self.name]
        for argument in self.arguments:
            value = self.example.get(argument.name)
            if value is not None:
                words.append(f"{argument.variable}={shlex.quote(typed_text(value))}")
        return " ".join(words)


def typed_text(value: Given) -> str:
    """A value of an example as it is typed for make."""
    return "yes" if isinstance(value, bool) else " ".join(given_words(value))


def given_words(value: Given) -> list[str]:
    """A value of an example as words after its flag."""
    if isinstance(value, bool):
        return []
    return [value] if isinstance(value, str) else list(value)
