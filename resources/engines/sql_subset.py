"""The SQL that DuckDB and Spark read alike: what is refused, and why.

Belongs here: looking at one statement, and at every model. Not here: translating
(`resources.engines.dialect`), showing that both engines give the same rows (`tests/spark`).

What a model may be made of is listed, so that a construct that nobody has tried on both engines is
refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_CONSTRUCTS = """
    Select From Where Group Having Order Ordered With CTE Subquery Union Except Intersect
    Join Table TableAlias Alias Star Values Tuple
    Identifier Column Literal Boolean Null Paren Var Placeholder
    DataType DataTypeParam Cast TryCast Limit
    Case If Coalesce Nullif Least Greatest And Or Not Is In EQ NEQ
    NullSafeEQ NullSafeNEQ GT GTE LT LTE Between Exists Like
    Add Sub Mul Div IntDiv Mod Neg Abs Floor Sqrt
    Concat ConcatWs DPipe Substring Left Right Length StrPosition Replace
    Translate Trim Pad Repeat Chr Upper Lower
    RegexpLike RegexpReplace SHA2 Hex Unhex Encode
    DateDiff Year Month Day Interval
    Count Sum Min Max Filter Distinct Window RowNumber Rank DenseRank FirstValue Median
    Array ArrayAgg ArraySort ArrayContains ArraySlice ArrayToString Explode Split Transform Lambda
"""

KNOWN = frozenset(_CONSTRUCTS.split())
"""The constructs that the parity tests have seen give the same on both engines, by SQLGlot's names.
"""

_TYPES = (
    "VARCHAR TEXT DATE TIMESTAMP TIMESTAMPNTZ BOOLEAN INT INTEGER BIGINT INT128 DECIMAL DOUBLE"
    " ARRAY"
)
TYPES = frozenset(_TYPES.split())


@dataclass(frozen=True)
class Refusal:
    """A construct that is not of the subset."""

    line: int
    construct: str
    instead: str

    def __str__(self) -> str:
        return f"{self.line}: {self.construct}: {self.instead}"


def refusals(sql: str) -> list[Refusal]:
    """What of one DuckDB statement is outside the subset, in the order of its lines."""
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError as error:
        place = error.errors[0] if isinstance(error, sqlglot.ParseError) and error.errors else {}
        return [
            Refusal(
                int(place.get("line") or 1),
                "SQL that SQLGlot cannot read",
                str(place.get("description", "")),
            )
        ]
    found = [
        Refusal(_line(node), construct, instead)
        for node in tree.walk()
        for construct, instead in _refused(node)
    ]
    # SQLGlot's tree has it as regexp_matches, which it is not
    matches = [
        token.line
        for token in sqlglot.tokenize(sql, read="duckdb")
        if token.text == "~" and token.token_type != sqlglot.TokenType.STRING
    ]
    found += [
        Refusal(
            line, "~", "the whole text on one engine, a part on the other: regexp_matches(…, '^…$')"
        )
        for line in matches
    ]
    return sorted(set(found), key=lambda refusal: (refusal.line, refusal.construct))


def _refused(node: exp.Expr) -> Iterator[tuple[str, str]]:
    kind = type(node).__name__
    if isinstance(node, exp.Pivot):
        yield (
            ("UNPIVOT" if node.args.get("unpivot") else "PIVOT"),
            "write a CASE for each column, or a UNION ALL",
        )
    elif isinstance(node, exp.Anonymous):
        yield node.name, "no counterpart on Spark is known; say it with functions that both have"
    elif kind not in KNOWN:
        yield (
            _called(node),
            "not tried on both engines; say it otherwise, or add it to KNOWN with a parity test",
        )
    for rule in _RULES.get(type(node), ()):
        yield from rule(node)


def _called(node: exp.Expr) -> str:
    """A construct as one writes it: a function by DuckDB's name, anything else by SQLGlot's."""
    if isinstance(node, exp.TableSample):
        return "USING SAMPLE"
    written = (
        re.match(r"[A-Za-z_][A-Za-z0-9_]*(?=\()", node.sql("duckdb"))
        if isinstance(node, exp.Func)
        else None
    )
    return written[0].lower() if written else type(node).__name__


def _join(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if str(node.args.get("method") or "").upper() == "ASOF":
        yield "ASOF", "join on the newest earlier day by row_number"
    if str(node.args.get("method") or "").upper() == "POSITIONAL":
        yield "POSITIONAL JOIN", "join on a key"


def _list(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.find(exp.Order) is not None:
        yield (
            "list(... order by)",
            "Spark loses the order: list_sort(list(...)) of a key that sorts",
        )
    elif not any(isinstance(above, exp.ArraySort) for above in _above(node)):
        yield "list without list_sort", "its order is another on every run: list_sort(list(...))"


def _slice(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.args["start"].name != "1":
        yield (
            "array_slice from elsewhere than 1",
            "the last argument is an end on one engine and a length on the other",
        )


def _days(node: exp.Expr) -> Iterator[tuple[str, str]]:
    unit = node.args.get("unit")
    if unit is not None and unit.name.lower() != "day":
        yield (
            f"date_diff of {unit.name.lower()}",
            "borders crossed on one engine, whole periods on the other: days, or year and month",
        )


def _ordered_by(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if isinstance(node.this, exp.Column | exp.Var) and node.this.name.lower() == "all":
        yield "order by all", "name the columns"


def _part(node: exp.Expr) -> Iterator[tuple[str, str]]:
    """The first argument of substring, the only one of left and right, counts from 1."""
    least, place = (
        (1, node.args.get("start")) if isinstance(node, exp.Substring) else (0, node.expression)
    )
    is_less = isinstance(place, exp.Neg) or (
        isinstance(place, exp.Literal) and not place.is_string and int(place.name) < least
    )
    if is_less:
        yield (
            f"{node.key} from before the text",
            "one engine counts from the end, the other gives nothing",
        )


def _division(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if not _cannot_be_zero(node.expression):
        yield "/ by a possible zero", "nullif(…, 0): one engine gives infinity, the other an error"
    if not (isinstance(node.this, exp.Cast) and node.this.to.is_type("double")):
        yield (
            "bare /",
            (
                "of integers or decimals it is another type on each engine: cast(… as double) / …,"
                " or ratio of exact.jinja"
            ),
        )


def _whole_division(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if not (
        _cannot_be_zero(node.expression) or any(_asks_for_zero(above) for above in _above(node))
    ):
        sign = "//" if isinstance(node, exp.IntDiv) else "%"
        yield (
            f"{sign} by a possible zero",
            "null on one engine, an error on the other: nullif(…, 0), or a CASE that asks first",
        )


def _cannot_be_zero(node: exp.Expr) -> bool:
    if isinstance(node, exp.Neg | exp.Paren):
        return _cannot_be_zero(node.this)
    if isinstance(node, exp.Mul):
        return _cannot_be_zero(node.this) and _cannot_be_zero(node.expression)
    return isinstance(node, exp.Nullif) or (
        isinstance(node, exp.Literal) and not node.is_string and float(node.this) != 0
    )


def _asks_for_zero(above: exp.Expr) -> bool:
    """A branch of a CASE whose condition has `… <> 0`."""
    asked = above.this.find_all(exp.NEQ) if isinstance(above, exp.If) else ()
    return any(
        isinstance(one.expression, exp.Literal) and one.expression.name == "0" for one in asked
    )


def _difference(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if any(_is_date(side) for side in (node.this, node.expression)):
        yield (
            "date - …",
            "days on one engine, an interval on the other: date_diff('day', earlier, later)",
        )


def _sum(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if isinstance(node.expression, exp.Interval):
        return
    if any(_is_date(side) for side in (node.this, node.expression)):
        yield "date + …", "reckon the day in Python and fill it in"


def _interval(node: exp.Expr) -> Iterator[tuple[str, str]]:
    """Whole days after a date are a timestamp on one engine, a date on the other."""
    unit, above = node.args.get("unit"), node.parent
    cast = above.parent if above is not None else None
    is_days = unit is not None and unit.name.lower() == "day" and isinstance(above, exp.Add)
    if not (is_days and isinstance(cast, exp.Cast) and cast.to.is_type("date")):
        yield "Interval", "whole days after a date: cast(… + interval 7 day as date)"


def _is_date(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.is_type("date", "timestamp")
    return isinstance(node, exp.Column) and node.name.endswith(("_on", "_at"))


def _ordered(node: exp.Expr) -> Iterator[tuple[str, str]]:
    """Which row comes first must be the same every time."""
    called = (
        node.this.this if isinstance(node.this, exp.IgnoreNulls | exp.RespectNulls) else node.this
    )
    needs = (
        exp.RowNumber,
        exp.Rank,
        exp.DenseRank,
        exp.FirstValue,
        exp.LastValue,
        exp.Lag,
        exp.Lead,
        exp.NthValue,
        exp.Ntile,
    )
    if isinstance(called, needs) and not node.args.get("order"):
        yield (
            f"{called.sql_name().lower()} without order by",
            "rows come in another order on every run: order by a key",
        )


def _limit(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.parent is not None and not node.parent.args.get("order"):
        yield "limit without order by", "rows come in another order on every run: order by a key"


def _distinct(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.args.get("on") is not None:
        yield "distinct on", "row_number() over (partition by … order by …) = 1"


def _hash(node: exp.Expr) -> Iterator[tuple[str, str]]:
    length = node.args.get("length")
    if length is not None and length.name != "256":
        yield f"sha{length.name}", "sha256, over texts that are put together by hand"


def _pattern(node: exp.Expr) -> Iterator[tuple[str, str]]:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        yield "a pattern that is no text", "RE2 and Java read patterns differently: write it out"
        return
    text = str(pattern.this)
    inner = re.findall(r"\[\^?\]?[^\]]*\]", text)
    if re.search(r"\\[sSbBwWdDpPQ]|\(\?", text) or any(
        "[" in part[1:] or "&&" in part for part in inner
    ):
        yield (
            "a pattern that RE2 and Java read differently",
            "plain classes: [0-9], [A-Z], no flags, no \\s, no \\b, no class in a class",
        )
    modifiers = node.args.get("modifiers")
    if (
        isinstance(node, exp.RegexpReplace)
        and not text.startswith("^")
        and (modifiers is None or modifiers.name != "g")
    ):
        yield (
            "regexp_replace without 'g'",
            "the first on one engine, all on the other: 'g', or a pattern that begins with ^",
        )
    elif modifiers is not None and modifiers.name != "g":
        yield "regexp_replace with other flags", "only 'g'"


def _union(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.args.get("by_name"):
        yield "UNION BY NAME", "name the columns on both sides"


def _group(node: exp.Expr) -> Iterator[tuple[str, str]]:
    for name in ("all", "cube", "rollup", "grouping_sets"):
        if node.args.get(name):
            yield f"group by {name.replace('_', ' ')}", "name the columns"


def _select(node: exp.Expr) -> Iterator[tuple[str, str]]:
    if node.args.get("qualify") is not None:
        yield "QUALIFY", "row_number() in a CTE, and where place = 1"


def _star(node: exp.Expr) -> Iterator[tuple[str, str]]:
    for name in ("except_", "except", "replace", "rename"):
        if node.args.get(name):
            yield f"* {name.strip('_')}", "name the columns"


def _type(node: exp.Expr) -> Iterator[tuple[str, str]]:
    kind = node.this.name if hasattr(node.this, "name") else str(node.this)
    if kind not in TYPES:
        yield (
            f"the type {kind}",
            "text, date, timestamp, boolean, integer, bigint, decimal or double, or a list of them",
        )


def _above(node: exp.Expr) -> Iterator[exp.Expr]:
    above = node.parent
    while above is not None and not isinstance(above, exp.Select):
        yield above
        above = above.parent


def _line(node: exp.Expr) -> int:
    lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
    if lines:
        return int(min(lines))
    return _line(node.parent) if node.parent is not None else 1


Rule = Callable[[exp.Expr], Iterator[tuple[str, str]]]
_RULES: dict[type[exp.Expr], tuple[Rule, ...]] = {
    exp.Join: (_join,),
    exp.ArrayAgg: (_list,),
    exp.ArraySlice: (_slice,),
    exp.DateDiff: (_days,),
    exp.Ordered: (_ordered_by,),
    exp.Substring: (_part,),
    exp.Left: (_part,),
    exp.Right: (_part,),
    exp.Div: (_division,),
    exp.IntDiv: (_whole_division,),
    exp.Mod: (_whole_division,),
    exp.Sub: (_difference,),
    exp.Add: (_sum,),
    exp.Interval: (_interval,),
    exp.Window: (_ordered,),
    exp.Limit: (_limit,),
    exp.Distinct: (_distinct,),
    exp.SHA2: (_hash,),
    exp.RegexpLike: (_pattern,),
    exp.RegexpReplace: (_pattern,),
    exp.Union: (_union,),
    exp.Group: (_group,),
    exp.Select: (_select,),
    exp.Star: (_star,),
    exp.DataType: (_type,),
}
