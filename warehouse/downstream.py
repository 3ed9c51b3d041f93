"""What is built from a field of a record type: the table that carries it on, and the indicators that read it.

Belongs here: the answer for messages about a changed column. Not here: column lineage of the models.
"""

from __future__ import annotations

import re

from expectations.contract import Contract, Field
from warehouse.catalogue import load_indicators


def built_from(contract: Contract, field: Field) -> tuple[str, ...]:
    """`matched_<table>`, then the codes of the indicators that name the field, or of all that read its record type."""
    readers = [indicator for indicator in load_indicators() if contract.records in indicator.sources]
    named = [indicator.code for indicator in readers if re.search(rf"\b{re.escape(field.name)}\b", indicator.definition)]
    return (f"matched_{contract.table}", *(named or [indicator.code for indicator in readers]))
