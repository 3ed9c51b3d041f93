"""What models and rules compare a department's codes with, held against the contracts' code lists:
`python -m pipelines.development.compared`.

A literal that is in no code list is a comparison that is never true: the indicator behind it would
be empty for everybody. Belongs here: finding the comparisons in the SQL of a day, and saying which
contract they contradict. Not here: following columns for the UI (`pipelines.development.lineage`),
reading contracts (`expectations.contract_file`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from expectations.contract import Contract, Field, load_contracts
from expectations.folding import is_reference
from expectations.rules import own_rules
from pipelines.development.lineage import record_day
from warehouse.catalogue import load_indicators
from warehouse.downstream import indicators_of
from warehouse.matching import MATCHED_COLUMNS

Origin = tuple[str, str]
"""Table and column."""
_MATCHING = frozenset(name for name, _, _ in MATCHED_COLUMNS)
"""What matching says of a record; no department delivers it."""
_INDICATOR = re.compile(r"\bas ([brs][0-9]{2})_")
_WORD = re.compile(r"\w+")
_WRAPS = "Cast TryCast Coalesce Trim Upper Lower Paren Nullif"


@dataclass(frozen=True)
class Comparison:
    """One literal that a column is compared with."""

    table: str
    column: str
    literal: str
    where: str
    """The table of the engine, or the contract's rule, in which it stands."""


@dataclass(frozen=True)
class Contradiction:
    """Comparisons that a contract's code list makes untrue for ever."""

    contract: Contract
    field: Field
    literals: tuple[str, ...]
    where: tuple[str, ...]
    indicators: tuple[str, ...]
    """Codes of the indicators that read the record type through these tables."""

    def __str__(self) -> str:
        below = sorted({*indicators_of(self.contract, self.field), *self.indicators})
        named = f"; {', '.join(below)} would be empty" if below else ""
        literals = ", ".join(f"'{literal}'" for literal in self.literals)
        if not self.field.codes_complete:
            said = f"is read as a code ({literals}), and its list is not complete"
            step = "complete the list and take complete: no out"
        else:
            codes = ", ".join(code.code for code in self.field.codes) or "none"
            said = f"is compared with {literals}, and the contract's codes are {codes}"
            step = (
                "keep yihu's codes in the contract, and put the department's words under written:"
            )
        return (
            f"{self.contract.path.name}: {self.field.name} {said} (in"
            f" {', '.join(self.where)}){named}; {step}"
        )


def contradictions(contracts: Sequence[Contract]) -> list[Contradiction]:
    """What the models and the contracts' own rules compare coded fields with,
    and their contracts do not know.

    The SQL is that of yihu's own contracts, whatever `contracts` say: a contract is held against
    the models.
    """
    fields = {
        (c.table, f.name): (c, f)
        for c in contracts
        for f in c.fields
        if _may_be_code(f) and not f.is_period and not _has_pattern(c, f)
    }
    wrong: dict[tuple[str, str], dict[str, set[str]]] = {}
    models, below = _of_models()
    compared = (*models, *(found for contract in contracts for found in _of_rules(contract)))
    for found in compared:
        _, field = fields.get((found.table, found.column), (None, None))
        if field is None:
            continue
        if not field.codes_complete or found.literal not in {code.code for code in field.codes}:
            wrong.setdefault((found.table, found.column), {}).setdefault(found.literal, set()).add(
                found.where
            )
    return [
        _contradiction(*fields[origin], literals, below)
        for origin, literals in sorted(wrong.items())
    ]


def _contradiction(
    contract: Contract,
    field: Field,
    literals: Mapping[str, set[str]],
    below: Mapping[str, frozenset[str]],
) -> Contradiction:
    where = tuple(sorted(set().union(*literals.values())))
    reading = {
        indicator.code for indicator in load_indicators() if contract.records in indicator.sources
    }
    indicators = reading & frozenset[str]().union(
        *(below.get(table, frozenset()) for table in where)
    )
    return Contradiction(contract, field, tuple(sorted(literals)), where, tuple(sorted(indicators)))


def _may_be_code(field: Field) -> bool:
    """Whether the field's values are few words:
    codes, or a text that says nothing else (no key, no name, no month).
    """
    return bool(field.codes) or (
        field.type == "text"
        and field.role is None
        and not field.is_identity
        and not is_reference(field)
    )


def _has_pattern(contract: Contract, field: Field) -> bool:
    """Whether a rule of the contract says what the field may hold: no list has to."""
    return any(rule.name == f"pattern:{field.name}" for rule in own_rules(contract))


@lru_cache(maxsize=1)
def _of_models() -> tuple[tuple[Comparison, ...], Mapping[str, frozenset[str]]]:
    """Every comparison of a record type's field with a literal in the models of a day,
    and the indicators below each table.
    """
    with tempfile.TemporaryDirectory(prefix="yihu-compared-") as folder:
        engine = record_day(Path(folder), load_contracts())
        try:
            made = list(engine.made)
        finally:
            engine.close()
    passed: dict[Origin, frozenset[Origin]] = {}
    found: list[Comparison] = []
    coded = {
        field.name
        for contract in load_contracts()
        for field in contract.fields
        if _may_be_code(field)
    }
    for table, select, schema in made:
        if not coded & set(_WORD.findall(select)):
            continue  # most tables carry no code, and qualifying a statement takes a while
        tree = _qualified(select, schema)
        found += [
            Comparison(*origin, literal, table) for origin, literal in _comparisons(tree, passed)
        ]
        passed |= {
            (table, column): frozenset(origins)
            for column, origins in _outputs(tree, passed).items()
        }
        coded |= {column for (_, column), origins in passed.items() if origins}
    return tuple(
        sorted(set(found), key=lambda c: (c.table, c.column, c.literal, c.where))
    ), _indicators_below(made)


def _indicators_below(
    made: Sequence[tuple[str, str, Mapping[str, Any]]],
) -> Mapping[str, frozenset[str]]:
    """Of each table the codes of the indicators that are made of it,
    through whatever stands between.
    """
    below: dict[str, frozenset[str]] = {}
    for table, select, schema in reversed(made):
        own = (
            frozenset(code.upper() for code in _INDICATOR.findall(select))
            if table.startswith("indicators_")
            else frozenset()
        )
        below[table] = below.get(table, frozenset()) | own
        for read in schema:
            below[read] = below.get(read, frozenset()) | below[table]
    return below


def _of_rules(contract: Contract) -> Iterator[Comparison]:
    """Every comparison of a field with a literal in the contract's own rules."""
    columns = {
        f"valid_{other.table}": tuple(f.name for f in other.fields) for other in load_contracts()
    }
    columns |= {
        table: tuple(f.name for f in contract.fields)
        for table in ("batch", f"valid_{contract.table}")
    }
    columns["batch"] += ("_row", "_op", "_misfit", "_unread", "_marked")
    for rule in own_rules(contract):
        tree = _qualified(rule.query.format(batch="batch"), columns)
        for (table, column), literal in _comparisons(tree, {}):
            if table == "batch":
                yield Comparison(
                    contract.table, column, literal, f"{contract.path.name}: {rule.name}"
                )


def _qualified(select: str, schema: Mapping[str, tuple[str, ...]]) -> Any:
    from sqlglot import parse_one
    from sqlglot.optimizer.qualify import qualify

    kinds: dict[str, Any] = {
        table: dict.fromkeys(columns, "varchar") for table, columns in schema.items()
    }
    return qualify(
        parse_one(select, dialect="duckdb"), schema=kinds, dialect="duckdb",
        validate_qualify_columns=False, identify=False, quote_identifiers=False,
    )  # fmt: skip


def _comparisons(
    tree: Any, passed: Mapping[Origin, frozenset[Origin]]
) -> Iterator[tuple[Origin, str]]:
    from sqlglot.optimizer.scope import traverse_scope

    for scope in traverse_scope(tree):
        for column, literal in _pairs(scope.expression):
            for origin in _origins(scope, column, passed):
                yield origin, literal


def _pairs(expression: Any) -> Iterator[tuple[Any, str]]:
    """Columns and the texts that they are compared with: `=`, `<>`, `in`, `case … when`."""
    from sqlglot import exp

    for node in expression.find_all(exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(other, exp.Literal) and other.is_string:
                yield from ((column, other.this) for column in _wrapped(one))
    for node in expression.find_all(exp.In):
        texts = [
            entry.this
            for entry in node.expressions
            if isinstance(entry, exp.Literal) and entry.is_string
        ]
        yield from ((column, text) for column in _wrapped(node.this) for text in texts)
    for node in expression.find_all(exp.Case):
        texts = [
            branch.this.this
            for branch in node.args["ifs"]
            if isinstance(branch.this, exp.Literal) and branch.this.is_string
        ]
        if node.this is not None:
            yield from ((column, text) for column in _wrapped(node.this) for text in texts)


def _wrapped(node: Any) -> list[Any]:
    """The column itself, through casts and the like; nothing for what is computed."""
    from sqlglot import exp

    while type(node).__name__ in _WRAPS.split():
        node = node.this
    return [node] if isinstance(node, exp.Column) else []


def _origins(scope: Any, column: Any, passed: Mapping[Origin, frozenset[Origin]]) -> set[Origin]:
    """The record types' fields whose value the column holds as it is."""
    from sqlglot import exp

    source = scope.sources.get(column.table)
    while source is None and scope.parent is not None:
        scope = scope.parent
        source = scope.sources.get(column.table)
    if isinstance(source, exp.Table):
        table = source.name
        for layer in ("valid_", "matched_"):
            if table.startswith(layer) and "__" in table:
                name = column.name.removeprefix("delivered_")
                return {(table.removeprefix(layer), name)} if name not in _MATCHING else set()
        return set(
            passed.get((table, column.name), {(table, column.name)} if table == "batch" else ())
        )
    return _outputs_of(source, column.name, passed) if source is not None else set()


def _outputs_of(scope: Any, name: str, passed: Mapping[Origin, frozenset[Origin]]) -> set[Origin]:
    if scope.set_operation_scopes:
        place = (
            scope.expression.named_selects.index(name)
            if name in scope.expression.named_selects
            else -1
        )
        found: set[Origin] = set()
        for part in scope.set_operation_scopes:
            names = part.expression.named_selects
            found |= _outputs_of(part, names[place], passed) if 0 <= place < len(names) else set()
        return found
    projections = [
        p for p in getattr(scope.expression, "expressions", ()) if p.alias_or_name == name
    ]
    return {
        origin
        for p in projections
        for column in _wrapped(p.unalias())
        for origin in _origins(scope, column, passed)
    }


def _outputs(tree: Any, passed: Mapping[Origin, frozenset[Origin]]) -> dict[str, set[Origin]]:
    from sqlglot.optimizer.scope import build_scope

    scope = build_scope(tree)
    return (
        {name: _outputs_of(scope, name, passed) for name in tree.named_selects}
        if scope is not None
        else {}
    )


def main() -> int:
    wrong = contradictions((*load_contracts(), *load_contracts(status="draft")))
    for contradiction in wrong:
        print(f"refused: {contradiction}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
