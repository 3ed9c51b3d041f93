"""SQL that DuckDB and Spark do not read alike is refused, by file, line and construct; and the lint
sees each such construct.
"""

from __future__ import annotations

import ast
import re

import pytest

from resources.engines.sql_subset import refusals
from resources.settings import ROOT
from tests.house.rendered import line_in_file, rendered_models
from warehouse.model import MODELS

OF_THE_WAREHOUSE = ("publication/", "postgres/")
"""The models of the release: PostgreSQL and the engine that reads the lake for it run them,
whichever engine made the lake.
"""

REFUSED = [
    ("select a from t asof join u on t.at >= u.at", "ASOF"),
    ("select * from t positional join u", "POSITIONAL JOIN"),
    ("pivot t on a using sum(b)", "PIVOT"),
    ("select * from t pivot (sum(b) for a in ('x', 'y'))", "PIVOT"),
    ("unpivot t on a, b into name n value v", "UNPIVOT"),
    ("select * from t unpivot (v for n in (a, b))", "UNPIVOT"),
    ("select hash(a) from t", "hash"),
    ("select md5(a) from t", "md5"),
    ("select md5_number(a) from t", "md5_number"),
    ("select md5_number_lower(a) from t", "md5_number_lower"),
    ("select list(a order by b) from t", "list(... order by)"),
    ("select list_sort(list(a order by b)) from t", "list(... order by)"),
    ("select list(a) from t", "list without list_sort"),
    ("select string_agg(a, ',' order by a) from t", "listagg"),
    ("select regexp_full_match(a, 'x') from t", "regexp_full_match"),
    ("select regexp_matches(a, b) from t", "a pattern that is no text"),
    (r"select regexp_matches(a, '\s') from t", "a pattern that RE2 and Java read differently"),
    ("select regexp_matches(a, '[a[b]]') from t", "a pattern that RE2 and Java read differently"),
    ("select regexp_matches(a, '(?i)a') from t", "a pattern that RE2 and Java read differently"),
    ("select regexp_replace(a, 'x', '') from t", "regexp_replace without 'g'"),
    ("select a / b from t", "bare /"),
    ("select cast(a as double) / b from t", "/ by a possible zero"),
    ("select a / nullif(b, 0) from t", "bare /"),
    ("select a // b from t", "// by a possible zero"),
    ("select a % b from t", "% by a possible zero"),
    ("select row_number() over (partition by a) as place from t", "row_number without order by"),
    ("select rank() over () as place from t", "rank without order by"),
    ("select first_value(b) over (partition by a) as b from t", "first_value without order by"),
    ("select a from t limit 1", "limit without order by"),
    ("select distinct on (a) a, b from t order by a, b", "distinct on"),
    ("select a from t qualify row_number() over (order by a) = 1", "QUALIFY"),
    ("select date '2026-11-20' - seen_on from t", "date - …"),
    ("select seen_on + 3 from t", "date + …"),
    ("select seen_on - interval 3 month from t", "Interval"),
    ("select a from t union all by name select a from u", "UNION BY NAME"),
    ("select a, count(*) from t group by all", "group by all"),
    ("select * exclude (a) from t", "* except"),
    ("select * replace (1 as a) from t", "* replace"),
    ("select any_value(a) from t", "any_value"),
    ("select arg_max(a, b) from t", "arg_max"),
    ("select first(a) from t", "first"),
    ("select mode(a) from t", "mode"),
    ("select round(a, 2) from t", "round"),
    ("select age(a) from t", "age"),
    ("select strftime(a, '%Y') from t", "strftime"),
    ("select random() from t", "random"),
    ("select a[1] from t", "Bracket"),
    ("select {'a': b} from t", "Struct"),
    ("select array_slice(a, 2, 3) from t", "array_slice from elsewhere than 1"),
    ("select b from t, unnest(a) as x (b)", "unnest"),
    ("select cast(a as float) from t", "the type FLOAT"),
    ("select cast(a as hugeint) from t where a >", "SQL that SQLGlot cannot read"),
    ("select a from t using sample 3", "USING SAMPLE"),
    ("select a from t where a ~ 'x'", "~"),
    ("select date_diff('month', a, b) from t", "date_diff of month"),
    ("select a from t order by all", "order by all"),
    ("select substr(a, 0, 2) from t", "substring from before the text"),
    ("select left(a, -1) from t", "left from before the text"),
    ("select right(a, -1) from t", "right from before the text"),
]
"""A statement, and the name under which it is refused."""

ADMITTED = [
    "select a, row_number() over (partition by b order by c desc, a) as place from t",
    (
        "select list_sort(list(distinct a)) as a, list_sort(list(b) filter (where b <> '')) as b"
        " from t group by c"
    ),
    "select cast(a as double) / nullif(b, 0) from t",
    (
        "select case when b <> 0 then cast(a * 100 as hugeint) // abs(b) end, a % 11, a //"
        " nullif(b, 0) from t"
    ),
    "select date_diff('day', seen_on, date '2026-11-20') > 100 from t",
    (
        "select regexp_replace(a, '[^A-Z]', '', 'g'), regexp_replace(a, '^[0-9]+', ''),"
        " regexp_matches(a, '^[0-9]{15}$') from t"
    ),
    "select sha256(unhex(hex(a)) || encode(b)) from t",
    "select array_slice(list_sort(list(a)), 1, 20) from t",
    "select a from t order by a limit 1",
    "select substr(a, 7, 8), left(a, 6), right(a, 3) from t where a = '~'",
]


@pytest.mark.parametrize(("sql", "construct"), REFUSED, ids=[construct for _, construct in REFUSED])
def test_each_construct_is_refused_by_its_name(sql: str, construct: str) -> None:
    assert construct in [refusal.construct for refusal in refusals(sql)]


@pytest.mark.parametrize("sql", ADMITTED)
def test_what_both_engines_read_alike_is_admitted(sql: str) -> None:
    assert refusals(sql) == []


def test_a_refusal_names_the_line() -> None:
    (refusal,) = refusals("select\n    a,\n    md5(b) as b\nfrom t")
    assert refusal.line == 3
    assert str(refusal).startswith("3: md5: ")


def test_every_model_keeps_to_the_subset() -> None:
    found = []
    for model, statements in sorted(rendered_models().items()):
        for sql in statements:
            found += [
                f"warehouse/models/{model}.sql:{line_in_file(model, sql, r.line)}: {r.construct}:"
                f" {r.instead}"
                for r in refusals(sql)
            ]
    assert not found, "SQL that DuckDB and Spark do not read alike:\n" + "\n".join(
        sorted(set(found))
    )


def test_no_model_is_left_out() -> None:
    there = {str(path.relative_to(MODELS).with_suffix("")) for path in MODELS.rglob("*.sql")}
    assert {
        model for model in there - set(rendered_models()) if not model.startswith(OF_THE_WAREHOUSE)
    } == set()


IN_CHECKS = {"round", "read_parquet", "* except"}
"""What the checks and the pictures of assets may use besides: of decimals, of files, of columns
that both engines have.
"""


def test_the_checks_of_assets_keep_to_the_subset_too() -> None:
    found = []
    for path in sorted((ROOT / "assets").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        texts = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in parts
        ]
        for node in texts:
            if re.match(r"\s*(select|with)\s.*\sfrom\s", str(node.value), re.S):
                refused = refusals(re.sub(r"\{[a-z_]+\}", "filled_in", str(node.value)))
                found += [
                    f"assets/{path.name}:{node.lineno + r.line - 1}: {r}"
                    for r in refused
                    if r.construct not in IN_CHECKS
                ]
    assert found == []
