"""Rules and reference data as tables: the SELECT that gives each on a day.

Belongs here: every name once. Not here: what is in them (`indicators`, `scoring`, `follow_up`,
`identity`, `names`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from warehouse import follow_up, identity, indicators, names, scoring, support
from warehouse.graph.moment import Moment
from warehouse.support_rules import load_support

REFERENCES: Mapping[str, Callable[[Moment, bytes], str]] = {
    "area": lambda moment, key: indicators.area_select(),
    "dibao_standard": lambda moment, key: indicators.standard_select(moment.rules.dibao_standard),
    "domain_cap": lambda moment, key: scoring.domain_cap_select(moment.rules),
    "indicator_source": lambda moment, key: scoring.indicator_source_select(moment.catalogue),
    "measure_need": lambda moment, key: support.measure_need_select(
        load_support(moment.as_of), moment.catalogue
    ),
    "month_term": lambda moment, key: support.month_term_select(
        moment.as_of, load_support(moment.as_of)
    ),
    "monitoring_line": lambda moment, key: indicators.standard_select(moment.rules.monitoring_line),
    "name_variant": lambda moment, key: names.variants_select(),
    "pseudonym_pad": lambda moment, key: identity.pad_select(key),
    "risk_domain": lambda moment, key: follow_up.risk_domain_select(moment.catalogue),
    "rule_line": lambda moment, key: scoring.rule_line_select(moment.rules, moment.catalogue),
    "task_rule": lambda moment, key: follow_up.task_rule_select(moment.following),
}


def reference_select(table: str, moment: Moment, pseudonym_key: bytes) -> str:
    """The rows of a reference table on a day."""
    return REFERENCES[table](moment, pseudonym_key)
