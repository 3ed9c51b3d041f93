"""The thresholds of the indicators' formulas:
days, months, ages, shares that a county could argue about.

Belongs here: which there are, and what they may be. Not here: their values
(`rules/thresholds-2021-01-01.yaml`, and the scoring files that name others), reading them
(`scoring_rules`), the formulas (`models/indicators`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

FIRST_HASH = "57569a879bcc1bcb543b04030a075455a4aba19132335fb9a4f9b4dd7385b324"
"""SHA-256 of what the first file says: no rule version's hash covers it, so the file stays."""


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2024-{text}")  # a leap year
    except ValueError:
        raise ValueError(f'{text!r} is no day of a year; write it as "03-31"') from None
    return text


Days = Annotated[int, Field(ge=1, le=3660)]
Months = Annotated[int, Field(ge=1, le=240)]
Age = Annotated[int, Field(ge=1, le=150)]
Share = Annotated[Decimal, Field(gt=0, le=1, decimal_places=4)]
Weight = Annotated[Decimal, Field(ge=0, le=1, decimal_places=2)]
DayOfYear = Annotated[str, AfterValidator(_day_of_year)]


class _Known(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_others(cls, said: Any) -> Any:
        unknown = set(said) - set(cls.model_fields) if isinstance(said, dict) else set()
        if unknown:
            names = ", ".join(sorted(map(str, unknown)))
            known = ", ".join(cls.model_fields)
            raise ValueError(
                f"no formula has the threshold {names}: take it out, or write one of {known}"
            )
        return said


class Thresholds(_Known):
    """What counts on a day; what each is for is said in `rules/thresholds-2021-01-01.yaml`."""

    window_months: Months
    resident_months: Months
    weak_labour_weight: Weight
    elder_age: Age
    child_under_age: Age
    enrolment_grace_until: DayOfYear
    chronic_followup_days: Days
    subsidy_months: Months
    retrofit_days: Days
    single_earner_share: Share
    stable_job_months: Months
    income_source_share: Share
    appraisal_months: Months


if TYPE_CHECKING:
    NamedThresholds: TypeAlias = BaseModel
else:
    _each = {name: field.rebuild_annotation() for name, field in Thresholds.model_fields.items()}
    _optional = {name: (kind | None, None) for name, kind in _each.items()}
    NamedThresholds = create_model("NamedThresholds", __base__=_Known, **_optional)
"""Those that a scoring file names; the others are None."""


def with_named(first: Thresholds, named: BaseModel | None) -> Thresholds:
    """The first thresholds, with others where a scoring file names them."""
    others = {} if named is None else named.model_dump(exclude_none=True)
    return first.model_copy(update=others)
