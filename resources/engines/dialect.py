"""The models' SQL, written for DuckDB, as Spark reads it:
SQLGlot's translation, and what SQLGlot does not know.

Belongs here: rewrites that keep a statement's meaning on Spark. Not here: running it (`spark`),
which SQL may be written at all (`tests/house/test_sql_subset.py`).

SQLGlot is pinned to one version, since its translation is part of what the parity tests hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from expectations.errors import DefectError

TABLE_LIST = "_engine_tables"
"""The view that stands for `information_schema.tables`: table_name, table_type."""

DECIMAL_38 = exp.DataType.build("decimal(38, 0)")


class DialectError(DefectError):
    """SQL that has no translation; the message names the construct, never a value."""

    next_step = "write it in the subset that docs/spark.md names"


@lru_cache(maxsize=4096)
def to_spark(sql: str) -> str:
    """`sql` (one DuckDB statement) in Spark's words. Raises `DialectError`."""
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError as error:
        place = error.errors[0] if isinstance(error, sqlglot.ParseError) and error.errors else {}
        raise DialectError(
            f"SQL that cannot be read: {place.get('description', 'no statement')} (line"
            f" {place.get('line', '?')})"
        ) from None
    # types first: what a rewrite puts together from copies is not gone through again
    return tree.transform(_data_type).transform(_rewritten).sql(dialect="spark")


def _rewritten(node: exp.Expression) -> exp.Expression:
    rewrite = _REWRITES.get(type(node))
    return node if rewrite is None else rewrite(node)


def _integer_division(node: exp.Expression) -> exp.Expression:
    """`a // b` of whole decimals: what divides without remainder is exact,
    and DIV would give a BIGINT.
    """
    if not any(cast.to == DECIMAL_38 for cast in node.find_all(exp.Cast)):
        return node
    whole, by = node.this, node.expression
    exact = exp.paren(
        exp.Sub(
            this=exp.paren(whole.copy()),
            expression=exp.Mod(this=exp.paren(whole.copy()), expression=exp.paren(by.copy())),
        )
    )
    return exp.cast(exp.Div(this=exact, expression=exp.paren(by.copy())), DECIMAL_38.copy())


def _data_type(node: exp.Expression) -> exp.Expression:
    """HUGEINT holds 38 digits, as DECIMAL(38,0) does."""
    return (
        DECIMAL_38.copy()
        if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.INT128
        else node
    )


def _regular_expression(node: exp.Expression) -> exp.Expression:
    """Java's `$` also stands before a last line feed, and its `.` before other line ends:
    RE2's do not.
    """
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and pattern.is_string:
        pattern.replace(exp.Literal.string(java_pattern(str(pattern.this))))
    return node


def java_pattern(pattern: str) -> str:
    """An RE2 pattern as Java reads it the same way."""
    ended = re.sub(r"(?<!\\)((?:\\\\)*)\$(?![^\[]*\])", r"\1\\z", pattern)
    return f"(?d){ended}" if re.search(r"(?<!\\)\.", re.sub(r"\[[^\]]*\]", "", ended)) else ended


def _read_parquet(node: exp.Expression) -> exp.Expression:
    """`read_parquet('files', …)` is the relation parquet.`files`."""
    source = node.this
    if not isinstance(source, exp.ReadParquet):
        return _table_list(node)
    files = source.expressions[0]
    if not (isinstance(files, exp.Literal) and files.is_string):
        raise DialectError("read_parquet takes one path or glob as text")
    relation = exp.to_identifier(str(files.this), quoted=True)
    alias = node.args.get("alias")
    return exp.Table(
        this=relation,
        db=exp.to_identifier("parquet"),
        alias=alias.copy() if alias else None,
        joins=node.args.get("joins"),
    )


def _table_list(node: exp.Expression) -> exp.Expression:
    """`information_schema.tables`, which Spark has not: a view that the engine keeps."""
    if isinstance(node, exp.Table) and node.db.lower() == "information_schema":
        node.set("db", None)
        node.set("this", exp.to_identifier(TABLE_LIST))
    return node


_REWRITES: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.IntDiv: _integer_division,
    exp.RegexpLike: _regular_expression,
    exp.RegexpReplace: _regular_expression,
    exp.RegexpExtract: _regular_expression,
    exp.Table: _read_parquet,
}
