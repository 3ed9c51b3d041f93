"""The graph of the models: what each declares is what its SQL reads, both ways; nothing else says
which reads which.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from jinja2 import meta
from sqlglot import exp

from expectations.contract import load_contracts
from pipelines.development.lineage import record_day
from resources.settings import ROOT
from tests.house.rendered import RECORDS, of_areas, rendered_models
from warehouse.catalogue import load_indicators
from warehouse.graph.drawn import PAGE, page
from warehouse.graph.heads import HeadError, Kind, Model, read_head
from warehouse.graph.parameters import PARAMETERS
from warehouse.graph.reference import REFERENCES
from warehouse.graph.registry import (
    counting,
    inputs_of,
    is_of_type,
    layer_and_folder,
    maker,
    makers,
    models,
    ordered,
    published_tables,
    stored_tables,
)
from warehouse.model import MODELS, environment
from warehouse.schema import PERIODIC, VIEW
from warehouse.schema.lake import OWN, declared, types_of

HANDED = {"ids", "names", "valid"}
"""What every template is given besides its parameters."""
TYPES = {contract.table for contract in load_contracts() if contract.records in RECORDS} | {
    of_areas().table
}


def tables_read(sql: str) -> set[str]:
    """The tables that a statement reads, its own CTEs apart."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {
        table.name for table in tree.find_all(exp.Table) if table.name and table.name not in own
    }


def said(model: Model) -> set[str]:
    """The names that a head says its SQL has."""
    silent = (Kind.CLOCK, Kind.ASKED, Kind.WAREHOUSE)
    return {read.alias for read in model.inputs if read.kind not in silent}


def expanded(names: set[str]) -> tuple[set[str], set[str]]:
    """Names of tables, and the layers of patterns among them."""
    patterns = {name.partition("_")[0] for name in names if name.endswith(("*", "{type}"))}
    return {name for name in names if not name.endswith(("*", "{type}"))}, patterns


def test_what_a_model_declares_is_what_its_sql_reads() -> None:
    wrong: list[str] = []
    for name, statements in sorted(rendered_models().items()):
        model = models()[name]
        read = set[str]().union(*(tables_read(sql) for sql in statements))
        plain, patterns = expanded(said(model))
        of_types = {
            table
            for table in read
            if is_of_type(table)
            and table.partition("_")[0] in patterns
            and table.partition("_")[2] in TYPES
        }
        wrong += [
            f"{name}: reads {table}, which its head does not say"
            for table in sorted(read - plain - of_types - WRITTEN)
        ]
        wrong += [
            f"{name}: its head says {table}, which it does not read"
            for table in sorted(plain - read - OPTIONAL.get(name, set()))
        ]
        wrong += [
            f"{name}: its head says {layer}_*, and it reads none"
            for layer in patterns
            if not of_types
        ]
    assert wrong == []


WRITTEN = {"keys"}
"""What `tests.house.rendered` writes into a parameter that is a whole statement."""
OPTIONAL = {
    "valid/quarantine": {"source_keys"},
    "matched_area": {"pseudonym_pad", "valid_rural_revitalisation__members"},
    "matched_household": {"pseudonym_pad"},
}
"""What a model reads through a parameter that is a whole statement; what it reads of a record type
whose key is a pseudonym, or that names a household or an officer.
"""


def test_a_statement_of_the_warehouse_declares_what_it_reads() -> None:
    wrong: list[str] = []
    publication = (*MODELS.glob("publication/*.sql"), *MODELS.glob("postgres/*.sql"))
    for path in sorted(publication):
        text = (
            path.read_text(encoding="utf-8")
            .partition("-#}")[2]
            .replace('store."{{ view }}"', "store.*")
        )
        own = set(re.findall(r"(\w+) as \(", text))
        read = (
            {
                a or b
                for a, b in re.findall(r"(?:from|join)\s+(?:\{\{ (\w+) \}\}|([a-z_.*]+))", text)
            }
            - own
            - {"unnest"}
        )
        told = {read.alias for read in models()[f"{path.parent.name}/{path.stem}"].inputs}
        if read != told:
            wrong.append(f"{path.stem}: reads {sorted(read)}, says {sorted(told)}")
    assert wrong == []


def test_a_model_is_filled_in_with_the_parameters_that_it_declares() -> None:
    wrong: list[str] = []
    for name, model in models().items():
        used = meta.find_undeclared_variables(
            environment.parse((MODELS / f"{name}.sql").read_text(encoding="utf-8"))
        )
        given = {read.alias for read in model.inputs if read.kind is Kind.GIVEN}
        if (want := used - HANDED - given) != set(model.parameters):
            wrong.append(f"{name}: uses {sorted(want)}, declares {sorted(model.parameters)}")
    assert wrong == []
    asked = {
        parameter for model in models().values() if model.is_run for parameter in model.parameters
    }
    assert asked == set(PARAMETERS)
    referred = {read.table for model in models().values() for read in model.reads(Kind.REFERENCE)}
    assert referred == set(REFERENCES)


def test_every_table_that_is_kept_is_declared_as_it_is_made(tmp_path: Path) -> None:
    """Columns and types: what the empty table, the dictionary and the UI say is what the lake
    gets.
    """
    engine = record_day(tmp_path, load_contracts())
    wrong: list[str] = []
    for table in (
        *stored_tables(),
        *(f"matched_{contract.table}" for contract in load_contracts()),
    ):
        made = {column: kind.lower() for column, kind in engine.columns(f'select * from "{table}"')}
        told = {column: kind.lower() for column, kind in types_of(table).items()}
        if made != told:
            wrong.append(f"{table}: {sorted(set(made.items()) ^ set(told.items()))}")
    engine.close()
    assert wrong == []


def test_keys_and_orders_are_columns() -> None:
    for table in stored_tables():
        columns = set(types_of(table))
        assert set(maker(table).key) <= columns, table
        assert {part.split()[0] for part in maker(table).order.split(", ")} <= columns, table
        assert {part.split()[0] for part in maker(table).order.split(", ")} >= set(
            maker(table).key
        ), f"{table}: its order is total"


def test_what_is_published_is_declared_for_consumers() -> None:
    assert set(published_tables()) == set(VIEW) | {"source_status"}
    assert {model.publishes for model in models().values() if model.publishes} == set(VIEW) | {
        "source_status"
    } | {v.name for v in PERIODIC}
    for view in VIEW.values():
        assert view.key == maker(view.name).key


def test_each_table_comes_after_what_it_reads() -> None:
    placed = ordered(makers())
    assert set(placed) == set(makers())
    for table in placed:
        earlier = set(placed[: placed.index(table)])
        same_day = {
            read.table
            for read in maker(table).reads(Kind.SAME_DAY, Kind.ASKED)
            if read.table in makers()
        }
        assert same_day <= earlier, table


def test_what_an_indicator_reads_it_counts() -> None:
    """Every scored indicator counts records of each type that the catalogue lists for it."""
    counted = {(one.code, model.records) for model in counting() for one in model.counted_by}
    listed = {(i.code, records) for i in load_indicators() if i.is_scored for records in i.sources}
    assert listed - counted == {("R14", "retrofits")}, (
        "a retrofit leaves a dwelling out, it is not counted"
    )
    assert {code for code, _ in counted} == {i.code for i in load_indicators() if i.is_scored}


def test_what_assets_depend_on() -> None:
    assert {"warning_flag", "warning_reason"} <= inputs_of("flag_change")
    assert "source_status" in inputs_of("household_indicator")
    assert "source_status" not in inputs_of("household")
    assert "matched_civil_affairs__temporary_aid" not in inputs_of("warning_flag")
    assert "matched_civil_affairs__temporary_aid" in inputs_of("household_card")
    assert layer_and_folder("warning_flag") == ("flags", "warning_flag")
    assert layer_and_folder("valid_housing__dwellings") == ("valid", "housing__dwellings")


def test_reading_the_heads_is_cheap() -> None:
    heavy = (
        "dagster",
        "duckdb",
        "pandas",
        "pyarrow",
        "sqlalchemy",
        "sqlglot",
        "great_expectations",
    )
    code = (
        f"import sys, warehouse.graph.registry as r; r.models(); print([m for m in {heavy} if m in"
        " sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


HEAD = "{{#-\nWhat it is.\n\n{entries}\n-#}}\nselect 1 as one\n"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("table: a\ngrain: village", "grain is 'village'"),
        ("table: a\ngrain: all\nreads: b", "the head has 'reads: b'"),
        ("table: a\ngrain: all\ntable: b", "the head has 'table: b'"),
        ("table: a\ngrain: all\nkept: attic", "kept is 'attic'"),
        ("table: a\ngrain: all\nkept: flags", "needs an order"),
        ("table: a\ngrain: all\nrecords: deaths", "records and counted by stand together"),
        ("table: a\ngrain: all\ncounted by: R29", "records and counted by stand together"),
        (
            "table: a\ngrain: all\nrecords: deaths\ncounted by: R29 if young",
            "counted by has 'R29 if young'",
        ),
        ("table: a\ngrain: all\nchanges on: b.c on day", "changes on has 'b.c on day'"),
    ],
)
def test_a_head_that_cannot_be_read_says_why(tmp_path: Path, entries: str, said: str) -> None:
    path = tmp_path / "a.sql"
    path.write_text(HEAD.format(entries=entries), encoding="utf-8")
    with pytest.raises(HeadError, match=re.escape(said)):
        read_head("a", path)
    path.write_text("-- no head\nselect 1 as one\n", encoding="utf-8")
    with pytest.raises(HeadError, match="begins with its head"):
        read_head("a", path)


def test_every_declared_table_has_an_empty_one() -> None:
    for table in declared().values():
        assert set(table.arrow.names) == set(table.types)
        assert table.empty.endswith("where false")


def test_the_picture_of_the_structure_is_drawn_from_the_heads() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "uv run python -m warehouse.graph.drawn"


def test_every_column_that_the_lake_keeps_besides_says_what_it_means() -> None:
    silent = [
        f"{table.name}.{column.name}"
        for table in OWN
        for column in table.columns
        if not column.meaning
    ]
    assert silent == []
