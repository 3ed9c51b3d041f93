"""How often each error happens, in one frozen dataclass.

Belongs here: rates and their defaults. Not here: what an error looks like (`errors`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace


@dataclass(frozen=True)
class ErrorRates:
    """Share of the records (0 to 1) that carry each error, where the record is one that can carry
    it.
    """

    # in a department record's number: still readable
    fullwidth: float = 0.002
    separators: float = 0.003
    lower_x: float = 0.03
    """Of the numbers that end in X: x, ×, * or the Cyrillic letter."""
    old15: float = 0.002
    # in the number: repairable
    lookalike: float = 0.002
    swap: float = 0.002
    # in the number: lost, or somebody else's
    wrong_digit: float = 0.002
    relative: float = 0.003
    wrong_person: float = 0.001
    placeholder: float = 0.0005
    damaged: float = 0.0005
    scientific: float = 0.0003
    empty: float = 0.0005
    unregistered: float = 0.005
    # in the name
    name_traditional: float = 0.004
    name_variant: float = 0.05
    """Of the names that have a character with a variant."""
    name_dot: float = 0.3
    """Of the names with a middle dot."""
    name_space: float = 0.002
    name_rare: float = 0.2
    """Of the names with a character outside GB 2312."""
    name_empty: float = 0.001
    # in the register
    register_conflict: float = 0.0005
    register_moved: float = 0.003
    register_moved_out: float = 0.005
    register_format: float = 0.001
    register_changed_number: float = 0.001
    newborn_unnumbered: float = 0.5
    """Of the children born since 2024."""
    # of any record
    broken: float = 0.001
    """Of the versions: a bad code, a bad date, a wrong sum, text in a number."""
    corrected: float = 0.4
    """Of the records with an error in number or name: put right by a later version."""
    late: float = 0.03
    """Of the versions: committed up to 20 hours after their `updated_at`."""
    withdrawn: float = 0.01
    """Of the records, over four years; a third of them return."""
    # between departments
    contradictions: float = 0.0
    """Of the households, for each rule of the contradictions: planted, with its truth."""

    def doubled(self) -> ErrorRates:
        """Every rate twice as high, at most 1."""
        return replace(
            self, **{field.name: min(1.0, 2 * getattr(self, field.name)) for field in fields(self)}
        )

    def none(self) -> ErrorRates:
        """No error at all."""
        return replace(self, **{field.name: 0.0 for field in fields(self)})

    def key(self) -> str:
        """What tells one set of rates from another."""
        return repr(sorted(asdict(self).items()))
