"""The picture of the structure, `docs/architecture.md`: `python -m warehouse.graph.drawn`.

Its rooms are drawn from their docstrings, its tables from the heads of the models.

Belongs here: turning both into Markdown and Mermaid. Not here: the registry; columns
(`pipelines.development.lineage`).
"""

from __future__ import annotations

import ast
from pathlib import Path

from warehouse.graph.heads import Kind
from warehouse.graph.registry import inputs_of, is_of_type, maker, models, reads, stored_tables

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
ROOMS = ("pipelines", "assets", "resources", "warehouse", "expectations")
"""In their order: a room imports only from those behind it."""
FOLDERS_OF_DATA = {
    "warehouse/models": "The SQL models: one SELECT a file, with its head.",
    "warehouse/rules": "Rules as data: indicators, points, thresholds, standards, lists, dates.",
    "expectations/contracts": "The contracts: one file per record type.",
}
ROOMS_HEAD = """## The rooms

A room is a top-level folder and holds what its name says; each module's docstring says what
belongs there and what does not. It imports only from the rooms below it in this table
(`lint-imports`). `sandbox/`, `bench/`, `tests/` and `docs/` stand beside the house; nobody in it
imports them. The words are in the [glossary](glossary.md).
"""
HEAD = """# The structure

Drawn by `python -m warehouse.graph.drawn` from the docstrings of the rooms and the heads of the
models (`warehouse/models/**.sql`); a test fails when it is behind.
"""
MODELS_HEAD = """## The tables

Each model says what it is, what it reads and how, its key, order and grain, and what it publishes;
`warehouse/graph` reads the heads, and one runner binds exactly what they declare: for Dagster,
county by county, `make explain RECOMPUTE=yes`, `make rules-diff`, the column lineage, the
benchmarks and the parity on Spark.

An arrow is a table of the same day, through what lives within a run only; a dotted one an earlier
day, or the last released one.
"""
KINDS = {
    Kind.SAME_DAY: "made or kept on the same day",
    Kind.IF_THERE: "of the same day where it is there; no other table's rows hang on whether it is",
    Kind.OPTIONAL: "of a record type that a county may go without; no row where nobody reads it",
    Kind.EARLIER_DAY: "the newest day before, with `_as_of`",
    Kind.EARLIER_OR_OWN: "the newest day before; without one, the day's own as another run gave it",
    Kind.RELEASED_DAY: "the newest earlier day that was not held back: what readers saw",
    Kind.BASE_DAY: "the day that this one is laid over; no rows where it is made in full",
    Kind.SEVERAL_DAYS: "some earlier days, told apart by `_as_of`",
    Kind.CLOCK: "its `updated_at` is read: an order among versions, no fact",
    Kind.REFERENCE: "rules and reference data as a table",
    Kind.OUTSIDE: "stewards' answers, the day's ledgers",
    Kind.ASKED: "read by a parameter before the SQL is written",
    Kind.GIVEN: "handed over by whoever renders the model; the runner does not make it",
    Kind.WAREHOUSE: "a table of PostgreSQL",
}


def _purpose(folder: Path) -> str:
    """What a package's docstring says that it holds."""
    module = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    first = (ast.get_docstring(module) or "").split("\n\n")[0]
    return " ".join(first.split()).partition(" Not here:")[0]


def rooms() -> list[str]:
    """The rooms and the folders in them, with what each holds."""
    lines = [ROOMS_HEAD, "| folder | what it holds |", "|---|---|"]
    for room in ROOMS:
        lines.append(f"| **`{room}/`** | {_purpose(ROOT / room)} |")
        packages = [found.parent for found in (ROOT / room).glob("*/__init__.py")]
        inner = {f"{room}/{package.name}": _purpose(package) for package in packages}
        of_data = {name: holds for name, holds in FOLDERS_OF_DATA.items() if name.startswith(room)}
        lines += [f"| `{name}/` | {holds} |" for name, holds in sorted((inner | of_data).items())]
    return [*lines, ""]


def _sources(table: str) -> set[str]:
    """What it comes from on its day; record types as one."""
    return {read.partition("_")[0] if is_of_type(read) else read for read in inputs_of(table)}


def _earlier(table: str) -> set[str]:
    """What it reads of earlier days, through what lives within a run only."""
    found, waiting, seen = set[str](), [table], {table}
    while waiting:
        at = waiting.pop()
        found.update(reads(at, Kind.EARLIER_DAY, Kind.EARLIER_OR_OWN, Kind.RELEASED_DAY))
        within = [
            read
            for read in reads(at, Kind.SAME_DAY)
            if not is_of_type(read) and maker(read).layer is None
        ]
        waiting += [read for read in within if read not in seen]
        seen.update(within)
    return found


def graph() -> list[str]:
    """The kept tables in Mermaid."""
    lines = ["```mermaid", "flowchart LR", "    valid --> matched"]
    for table in stored_tables():
        lines += [f"    {source} --> {table}" for source in sorted(_sources(table))]
        lines += [f"    {source} -.-> {table}" for source in sorted(_earlier(table))]
        if maker(table).publishes:
            lines.append(f"    {table} --> release")
    return [*lines, "```", ""]


def page() -> str:
    """The whole page."""
    lines = [HEAD, *rooms(), MODELS_HEAD, *graph()]
    lines += ["## How a model reads a table", "", "| in a head | means |", "|---|---|"]
    lines += [f"| `{kind}` | {KINDS[kind]} |" for kind in Kind]
    lines += [
        "",
        "## What is kept, and what it is made from",
        "",
        "| table | layer | grain | key | made by | what it is |",
        "|" + "---|" * 6,
    ]
    for table in stored_tables():
        model = maker(table)
        lines.append(
            f"| `{table}` | {model.layer} | {model.grain} | {', '.join(model.key)} "
            f"| `{model.name}` | {model.meaning} |"
        )
    within = sorted(
        (model for model in models().values() if model.is_run and model.layer is None),
        key=lambda model: model.name,
    )
    lines += [
        "",
        "## What lives within a run",
        "",
        "| model | grain | key | what it is |",
        "|" + "---|" * 4,
    ]
    lines += [
        f"| `{model.name}` | {model.grain} | {', '.join(model.key)} | {model.meaning} |"
        for model in within
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
