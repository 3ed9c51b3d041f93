"""The conditions of the rule files: `value >= 2 * T`,
`previous_business_net > 0 and value <= 0.5 * previous_business_net`.

Belongs here: parsing a condition and compiling it to SQL. Not here: which conditions there are
(`rules/scoring-*.yaml`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from expectations.errors import ConfigurationError
from warehouse.catalogue import Indicator

INPUTS: dict[str, dict[str, str]] = {
    "R04": {"T": "_medical_threshold"},
    "R19": {"B09": "b09_noncompulsory_student_count"},
    "R23": {"previous_business_net": "_previous_business_net"},
    "S18": {"days_since_visit": "_days_since_visit"},
}
"""What an indicator's conditions may name besides `value`,
and the column of `indicator_state` that holds it.
"""

_COMPARISON = re.compile(
    r"\A(?P<left>[A-Za-z_][A-Za-z0-9_]*)\s*(?P<op><=|>=|=|<|>)\s*"
    r"(?:(?P<factor>[0-9]+(?:\.[0-9]+)?)\s*\*\s*)?(?P<right>-?[A-Za-z0-9_.]+)\Z"
)
_NUMBER = re.compile(r"\A-?[0-9]+(\.[0-9]+)?\Z")
_CODE = re.compile(r"\A[A-Za-z0-9]\Z")


class ConditionError(ConfigurationError):
    """A condition that cannot be read; the message says why."""


@dataclass(frozen=True)
class Comparison:
    """`left op [factor *] right`, as SQL."""

    left: str
    op: str
    right: str

    @property
    def sql(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True)
class Condition:
    """All of its comparisons hold; an empty (null) input makes its own comparison fail."""

    text: str
    comparisons: tuple[Comparison, ...]
    inputs: tuple[str, ...]

    @property
    def sql(self) -> str:
        return " and ".join(c.sql for c in self.comparisons)

    @property
    def threshold(self) -> str:
        """The condition as a reason shows it: without the leading `value`."""
        return self.text.removeprefix("value ")


def _operand(indicator: Indicator, name: str, names: dict[str, str], is_value: bool) -> str:
    if name in names:
        return names[name]
    if is_value and indicator.sql_type == "boolean":
        if name in ("true", "false"):
            return name
        raise ConditionError(
            f"{indicator.code} is a flag:",
            f"compare it with true or false, not {name}",
        )
    if is_value and indicator.sql_type == "varchar":
        if _CODE.match(name):
            return f"'{name}'"
        raise ConditionError(
            f"{indicator.code} is a {indicator.unit}:",
            f"compare it with one letter or digit, not {name}",
        )
    if _NUMBER.match(name):
        return str(Decimal(name))
    raise ConditionError(
        f"{name} is no number and no input of {indicator.code}",
        f"it has {', '.join(names)}",
    )


def _comparison(indicator: Indicator, text: str, names: dict[str, str]) -> Comparison:
    found = _COMPARISON.match(text.strip())
    if found is None:
        raise ConditionError(
            f"cannot read {text.strip()!r}:",
            "write it like 'value >= 2' or 'value <= 0.5 * T'",
        )
    left, op, factor, right = found.group("left", "op", "factor", "right")
    if left not in names:
        raise ConditionError(
            f"{left} is no input of {indicator.code}",
            f"it has {', '.join(names)}",
        )
    is_value = left == "value"
    if is_value and indicator.sql_type in ("boolean", "varchar") and op != "=":
        raise ConditionError(
            f"{indicator.code} is a {indicator.unit}:",
            f"only = makes sense for it, not {op}",
        )
    operand = _operand(indicator, right, names, is_value)
    if factor is not None and right not in names:
        raise ConditionError(f"{factor} * {right}:", "a factor stands before an input only")
    return Comparison(
        names[left], op, operand if factor is None else f"{Decimal(factor)} * {operand}"
    )


def parse_condition(indicator: Indicator, text: str) -> Condition:
    """The condition `text` of `indicator`. Raises `ConditionError` with the reason."""
    names = {"value": indicator.column, **INPUTS.get(indicator.code, {})}
    comparisons = tuple(_comparison(indicator, part, names) for part in text.split(" and "))
    used = tuple(name for name in names if name != "value" and re.search(rf"\b{name}\b", text))
    return Condition(text, comparisons, used)
