"""What is built from a field of a record type:
the table that carries it on, and the indicators that read it.

Belongs here: the answer for messages about a changed column. Not here: column lineage of the
models.
"""

from __future__ import annotations

import re
from functools import lru_cache

from expectations.contract import Contract, Field
from warehouse.catalogue import load_indicators
from warehouse.model import MODELS


def built_from(contract: Contract, field: Field) -> tuple[str, ...]:
    """`matched_<table>`, then the codes of the indicators that name the field,
    or of all that read its record type.
    """
    readers = [
        indicator for indicator in load_indicators() if contract.records in indicator.sources
    ]
    named = [
        indicator.code
        for indicator in readers
        if re.search(rf"\b{re.escape(field.name)}\b", indicator.definition)
    ]
    return (f"matched_{contract.table}", *(named or [indicator.code for indicator in readers]))


def indicators_of(contract: Contract, field: Field) -> tuple[str, ...]:
    """The codes of the indicators that read a field: those whose definition names it, or, where
    only their SQL does, all of its record type."""
    if field.is_identity:
        return ()
    named = built_from(contract, field)[1:]
    return named if field.name in _words_of_models() else ()


@lru_cache(maxsize=1)
def _words_of_models() -> frozenset[str]:
    """Every word of the indicators' SQL."""
    return frozenset(
        word
        for path in MODELS.glob("indicators/*")
        for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )
