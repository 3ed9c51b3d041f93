"""The pages made from declarations: `docs/commands.md` of the commands,
`docs/errors.md` of the errors.

Belongs here: turning declarations into text. Not here: the declarations (`table`,
`expectations.errors`), writing the pages (`yihu docs`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from expectations import errors as base
from pipelines.command_line.declared import GROUPS, Argument, Command
from pipelines.command_line.parser import examples, exit_statuses
from pipelines.command_line.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("expectations", "warehouse", "resources", "assets", "pipelines", "sandbox", "bench")
WITH_A_BASE = re.compile(r"^class \w+\(\w", re.MULTILINE)
TREE = re.compile(r"^    YihuError .*?(?=^\"\"\"$)", re.MULTILINE | re.DOTALL)

COMMANDS_HEAD = """# Commands

Made from the declarations (`pipelines/command_line/table.py`) by `make docs`; a test fails when it
is behind. Three ways to say the same: `make explain HOUSEHOLD=…`, `./yihu explain --household …`
(from any folder), `uv run python -m pipelines explain --household …`. The first two read `.env` and
install what is missing. What is typed for make passes through no shell: a reason may hold quotes,
`$` and backticks.
"""
ERRORS_HEAD = """# Errors

Made from the exceptions by `make docs`; a test fails when it is behind. Every error of yihu says
what happened and what to do next, and its class says the rest: of which kind it is, and with which
status a command ends by it. `docs/faults.md` has what can go wrong outside, and what comes of it.
"""


@dataclass(frozen=True)
class ErrorClass:
    """One exception as its class declares it."""

    name: str
    module: str
    parent: str
    meaning: str
    kind: str
    exit_status: int
    next_step: str


def pages() -> Mapping[Path, str]:
    """Each file that is made, with its text."""
    tree_file = ROOT / "expectations" / "errors.py"
    return {
        ROOT / "docs" / "commands.md": commands_page(),
        ROOT / "docs" / "errors.md": errors_page(),
        tree_file: with_tree(tree_file.read_text(encoding="utf-8")),
    }


def commands_page() -> str:
    """`docs/commands.md`: every command by group, then the make targets that are no command."""
    lines = [COMMANDS_HEAD]
    for group, title in GROUPS.items():
        lines += [f"## {title}", ""]
        for command in (command for command in COMMANDS.values() if command.group == group):
            lines += _section(command)
    lines += ["## Make targets that are no command", "", "| target | what it does |", "|---|---|"]
    called = {command.target for command in COMMANDS.values()}
    others = {target: said for target, said in make_targets().items() if target not in called}
    lines += [f"| `make {target}` | {said} |" for target, said in others.items()]
    return "\n".join(lines) + "\n"


def _section(command: Command) -> list[str]:
    lines = [
        f"### {command.name}",
        "",
        command.does,
        "",
        *(f"    {line}" for line in reversed(examples(command))),
        "",
    ]
    if command.arguments:
        lines += ["| argument | with make | what it is |", "|---|---|---|"]
        lines += [_argument_row(argument) for argument in command.arguments]
        lines += [""]
    meant = exit_statuses(command)
    statuses = [f"- exit status {status}: {said}" for status, said in meant.items()]
    return [*lines, *statuses, ""]


def _argument_row(argument: Argument) -> str:
    value = "yes" if argument.is_switch else "…"
    default = f"; default: {argument.default}" if argument.default != "" else ""
    needed = " (needed)" if argument.is_needed else ""
    what = f"{argument.help}{default}{needed}"
    return f"| `{argument.flag}` | `{argument.variable}={value}` | {what} |"


def make_targets() -> dict[str, str]:
    """The targets of the Makefile, with what stands beside each."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):[^#\n=]*## (.*)$", text, re.MULTILINE))


@lru_cache
def error_classes() -> tuple[ErrorClass, ...]:
    """Every exception of the project, parents before their children, siblings by name."""
    root = ErrorClass(
        "YihuError",
        base.__name__,
        "",
        "",
        base.YihuError.kind,
        base.YihuError.exit_status,
        "",
    )
    return (root, *_below(root, list(_classes())))


def _below(parent: ErrorClass, classes: Sequence[tuple[str, ast.ClassDef]]) -> Iterator[ErrorClass]:
    children = [(module, node) for module, node in classes if _base(node) == parent.name]
    for module, node in sorted(children, key=lambda child: (child[1].name.lstrip("_"), child[0])):
        child = _declared(parent, module, node)
        yield child
        yield from _below(child, classes)


def _classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not WITH_A_BASE.search(text):
                continue
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            nodes = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
            yield from ((module, node) for node in nodes if _base(node))


def _base(node: ast.ClassDef) -> str:
    return node.bases[0].id if node.bases and isinstance(node.bases[0], ast.Name) else ""


def _declared(parent: ErrorClass, module: str, node: ast.ClassDef) -> ErrorClass:
    own = dict(_attributes(node))
    return ErrorClass(
        name=node.name,
        module=module,
        parent=parent.name,
        meaning=" ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split()),
        kind=str(own.get("kind", parent.kind)),
        exit_status=int(own.get("exit_status", parent.exit_status)),
        next_step=str(own.get("next_step", parent.next_step)),
    )


def _attributes(node: ast.ClassDef) -> Iterator[tuple[str, str | int]]:
    for line in node.body:
        if not isinstance(line, ast.Assign | ast.AnnAssign):
            continue
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target
        value = line.value
        if not isinstance(target, ast.Name):
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str | int):
            yield target.id, value.value
        elif isinstance(value, ast.Name) and hasattr(base, value.id):
            yield target.id, getattr(base, value.id)


def tree_lines() -> list[str]:
    """The tree, a line per exception: its name, its kind, its exit status."""
    depths = {"": -1}
    lines = []
    for error in error_classes():
        depths[error.name] = depths[error.parent] + 1
        name = "  " * depths[error.name] + error.name
        lines.append(f"{name:<26}{error.kind:<15}{error.exit_status}")
    return lines


def with_tree(source: str) -> str:
    """The source of `expectations.errors` with the tree in its head as it is now."""
    return TREE.sub(lambda _: "".join(f"    {line}\n" for line in tree_lines()), source, count=1)


def errors_page() -> str:
    """`docs/errors.md`: kinds, exit statuses, the tree, what each exception means."""
    lines = [ERRORS_HEAD, "## Kinds", "", "| kind | who has to do what |", "|---|---|"]
    lines += [f"| {kind} | {said} |" for kind, said in base.KINDS.items()]
    lines += ["", "## Exit statuses", "", "| status | means |", "|---|---|"]
    lines += [f"| {status} | {said} |" for status, said in base.EXIT_STATUSES.items()]
    lines += ["", "A command that was interrupted (Ctrl-C) ends with 130.", ""]
    lines += [
        "## The tree",
        "",
        "Name, kind, exit status.",
        "",
        *(f"    {line}" for line in tree_lines()),
        "",
    ]
    lines += [
        "## What each means",
        "",
        "| error | raised by | what it means | what to do |",
        "|---|---|---|---|",
    ]
    lines += [_error_row(error) for error in error_classes()[1:]]
    return "\n".join(lines) + "\n"


def _error_row(error: ErrorClass) -> str:
    step = error.next_step or "said with each"
    return f"| `{error.name}` | `{error.module}` | {error.meaning} | {step} |".replace("\n", " ")
