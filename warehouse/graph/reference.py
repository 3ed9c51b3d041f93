"""Rules and reference data as tables: the SELECT that gives each on a day.

Belongs here: every name once. Not here: what is in them (`indicators`, `scoring`, `follow_up`,
`identity`, `names`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from warehouse import (
    crosscheck,
    entitlement_rules,
    follow_up,
    identity,
    indicators,
    issue_rules,
    names,
    scoring,
    support,
)
from warehouse.graph.moment import Moment


@dataclass(frozen=True)
class Keys:
    """What reference tables are made with and no model sees."""

    pseudonym: bytes = b""
    sampling: bytes = b""
    """Of what is drawn by lot; where nobody gives one, it comes of the other."""

    @property
    def lot(self) -> bytes:
        return self.sampling or hmac.new(self.pseudonym, b"sampling", hashlib.sha256).digest()


REFERENCES: Mapping[str, Callable[[Moment, Keys], str]] = {
    "area": lambda moment, keys: indicators.area_select(),
    "crosscheck_rule": lambda moment, keys: crosscheck.rule_select(moment.further.crosscheck),
    "crosscheck_source": lambda moment, keys: crosscheck.source_select(moment.further.crosscheck),
    "dibao_standard": lambda moment, keys: indicators.standard_select(moment.rules.dibao_standard),
    "domain_cap": lambda moment, keys: scoring.domain_cap_select(moment.rules),
    "entitlement_scheme": lambda moment, keys: entitlement_rules.scheme_select(
        moment.further.entitlements
    ),
    "found_week": lambda moment, keys: issue_rules.week_select(moment.as_of),
    "gap_reason": lambda moment, keys: entitlement_rules.gap_select(moment.further.entitlements),
    "indicator_source": lambda moment, keys: scoring.indicator_source_select(moment.catalogue),
    "issue_theme": lambda moment, keys: issue_rules.theme_select(moment.further.issues),
    "measure_need": lambda moment, keys: support.measure_need_select(
        moment.further.support, moment.catalogue
    ),
    "month_term": lambda moment, keys: support.month_term_select(
        moment.as_of, moment.further.support
    ),
    "monitoring_line": lambda moment, keys: indicators.standard_select(
        moment.rules.monitoring_line
    ),
    "name_variant": lambda moment, keys: names.variants_select(),
    "pseudonym_pad": lambda moment, keys: identity.pad_select(keys.pseudonym),
    "risk_domain": lambda moment, keys: follow_up.risk_domain_select(moment.catalogue),
    "rule_line": lambda moment, keys: scoring.rule_line_select(moment.rules, moment.catalogue),
    "sampling_pad": lambda moment, keys: identity.pad_select(keys.lot),
    "task_rule": lambda moment, keys: follow_up.task_rule_select(moment.following),
}


def reference_select(table: str, moment: Moment, keys: Keys) -> str:
    """The rows of a reference table on a day."""
    return REFERENCES[table](moment, keys)
