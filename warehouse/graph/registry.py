"""Who makes which table, from what: read from the heads of the models, once a process.

Belongs here: looking up and following. Not here: what a head says (`heads`), filling in and running
(`runner`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from expectations.errors import DefectError
from warehouse.graph.heads import Kind, Model, read_head
from warehouse.model import MODELS

PER_TYPE = "{type}"
EVERY_TYPE = "*"
LAKE_KINDS = (
    Kind.SAME_DAY,
    Kind.IF_THERE,
    Kind.OPTIONAL,
    Kind.EARLIER_DAY,
    Kind.EARLIER_OR_OWN,
    Kind.RELEASED_DAY,
    Kind.BASE_DAY,
    Kind.SEVERAL_DAYS,
    Kind.ASKED,
)
"""The kinds that name tables of the graph."""
OF_THE_DAY = (Kind.SAME_DAY, Kind.OPTIONAL, Kind.EARLIER_OR_OWN, Kind.ASKED)
"""The kinds that a table comes from on its own day."""


class UnknownTable(DefectError):
    """A table that no model makes and no contract delivers."""

    next_step = "see docs/architecture.md, which names them all"


@lru_cache(maxsize=1)
def models() -> Mapping[str, Model]:
    """Every model by its name."""
    paths = sorted(MODELS.rglob("*.sql"))
    return {
        name: read_head(name, path)
        for path in paths
        for name in [str(path.relative_to(MODELS).with_suffix(""))]
    }


@lru_cache(maxsize=1)
def makers() -> Mapping[str, Model]:
    """The model of every table that is made once a day (not per record type)."""
    found: dict[str, Model] = {}
    for model in models().values():
        if model.table and PER_TYPE not in model.table:
            if model.table in found:
                raise UnknownTable(
                    f"{model.table} is made by {found[model.table].name} and by {model.name}",
                    "take one of them out",
                )
            found[model.table] = model
    return found


def maker(table: str) -> Model:
    """The model that makes `table`; raises `UnknownTable`."""
    if table not in makers():
        raise UnknownTable(f"no model makes {table}", "see warehouse/models")
    return makers()[table]


def is_of_type(table: str) -> bool:
    """Whether it is `valid_…` or `matched_…` of a record type, or of a pattern of them."""
    prefix, _, rest = table.partition("_")
    return prefix in ("valid", "matched") and ("__" in rest or rest in (PER_TYPE, EVERY_TYPE))


def layer_and_folder(table: str) -> tuple[str, str]:
    """Layer and folder of a table that the lake keeps:
    `valid_x` is (`valid`, `x`), `person` is (`household`, `person`).
    """
    if is_of_type(table):
        layer_of_type, _, folder = table.partition("_")
        return layer_of_type, folder
    layer = maker(table).layer
    if layer is None:
        raise UnknownTable(f"{table} is not kept in the lake")
    return layer, table


def is_stored(table: str) -> bool:
    """Whether the lake keeps the table."""
    return is_of_type(table) or (table in makers() and makers()[table].layer is not None)


def stored_tables() -> tuple[str, ...]:
    """The tables that the lake keeps beside `valid_…` and `matched_…`, each after what it reads."""
    return ordered(table for table, model in makers().items() if model.layer is not None)


def published_tables() -> tuple[str, ...]:
    """The tables that a release has, each after what it reads."""
    return ordered(
        table
        for table, model in makers().items()
        if model.publishes is not None and model.layer is not None
    )


@lru_cache(maxsize=1)
def laid_over() -> tuple[str, ...]:
    """The kept tables that are laid over the day before's, each after what it reads."""
    return ordered(table for table, model in makers().items() if model.laid_over is not None)


@lru_cache(maxsize=1)
def counting() -> tuple[Model, ...]:
    """The models whose rows are records that indicators count."""
    return tuple(model for _, model in sorted(makers().items()) if model.records is not None)


def order_of(table: str) -> str:
    """The columns that order a kept table totally."""
    return models()["matched"].order if is_of_type(table) else maker(table).order


def key_of(table: str) -> tuple[str, ...]:
    """The columns that tell the rows of a kept table apart."""
    return models()["matched"].key if is_of_type(table) else maker(table).key


def reads(table: str, *kinds: Kind) -> tuple[str, ...]:
    """The tables that the model of `table` reads in one of these ways;
    of `matched_{type}`, those that its two models read.
    """
    found = (
        [m for m in models().values() if m.table == table]
        if table == f"matched_{PER_TYPE}"
        else [maker(table)]
    )
    return tuple(dict.fromkeys(read.table for model in found for read in model.reads(*kinds)))


def inputs_of(table: str, kinds: Collection[Kind] = OF_THE_DAY) -> frozenset[str]:
    """The other kept tables of the same day that `table` comes from,
    through what lives within a run only; read in these ways.

    Patterns stand: `matched_*` for every record type. Of `matched_{type}`, those of whatever record
    type.
    """
    found: set[str] = set()
    waiting, seen = [table], {table}
    while waiting:
        for read in reads(waiting.pop(), *kinds):
            if read in seen:
                continue
            seen.add(read)
            if is_stored(read):
                found.update({read} - {table})
            elif read in makers():
                waiting.append(read)
    return frozenset(found)


def with_needs(tables: Iterable[str]) -> tuple[Model, ...]:
    """The models of `tables` and of what they need within a run."""
    found: dict[str, Model] = {}
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table in found or table not in makers():
            continue
        found[table] = maker(table)
        waiting += [read for read in reads(table, Kind.SAME_DAY, Kind.ASKED) if not is_stored(read)]
    return tuple(found.values())


def ordered(tables: Iterable[str]) -> tuple[str, ...]:
    """The tables, each after those that it comes from on the same day; else by name."""
    wanted = set(tables)
    placed: dict[str, None] = {}

    def put(table: str) -> None:
        if table in placed or table not in makers():
            return
        for read in sorted(reads(table, Kind.SAME_DAY, Kind.ASKED)):
            put(read)
        placed[table] = None

    for table in sorted(wanted):
        put(table)
    return tuple(table for table in placed if table in wanted)
