"""Which column of a sample is which field of a known record type: by name, by synonym, by content.

Belongs here: pairing columns and fields, and what is not sure about a pair. Not here: what the
contract then says (`fields`), the header (`grid`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as of_class

from expectations.contract import Contract, Field
from expectations.drafting.content import (
    Column,
    is_boolean,
    is_certificate,
    is_counted,
    is_date,
    is_dotted_month,
    is_first_of_month,
    is_id_number,
    is_month,
    is_name,
    is_number,
)
from expectations.drafting.grid import bare, tight
from expectations.drafting.office_words import office_words

NAMED, LIKE, NEARLY, BY_CONTENT = 4, 3, 2, 1
"""How a column was found: its heading is the field's name or a synonym; contains one; nearly so;
only its cells fit.
"""
FITS = 0.5
"""From this share of its filled cells on, a column's content fits a field."""
ENOUGH = 0.985
"""From this share of distinct values on, columns tell records apart: a sample may hold a slip."""
CHECKED_IDENTITIES = ("id_number", "head_id_number")
_COUNTERS = ("序号", "编号", "No", "NO")
_NAME_ROLES = ("name", "head_name")


@dataclass
class Match:
    """A field and the column that was found for it."""

    field: Field
    column: Column
    found: int
    doubts: list[str] = of_class(default_factory=list)


def map_columns(contract: Contract, columns: Sequence[Column]) -> dict[str, Match]:
    """The match of each field that has one, by field name."""
    pairs = [
        (found, fit, match_field, column)
        for match_field in contract.delivered
        for column in columns
        if (found := _named(contract, match_field, column))
        and (fit := fitness(contract, match_field, column)) >= FITS
    ]
    matches: dict[str, Match] = {}
    taken: dict[int, str] = {}
    for found, _, at, column in sorted(
        pairs, key=lambda p: (-p[0], _rank(contract, p[2], p[3]), -p[1], p[3].place)
    ):
        rivals = [
            c for f, _, other, c in pairs if other is at and f == found and c.place not in taken
        ]
        if at.name in matches or column.place in taken:
            continue
        matches[at.name] = Match(at, column, found, _doubts(contract, at, column, found, rivals))
        taken[column.place] = at.name
    for at in contract.delivered:
        if at.name not in matches:
            _by_content(contract, at, columns, matches, taken)
    for at in contract.delivered:
        if at.name not in matches:
            _by_name_alone(contract, at, columns, matches, taken)
    return matches


def _named(contract: Contract, at: Field, column: Column) -> int:
    """NAMED or LIKE where the heading speaks for the field, 0 where it does not."""
    words = office_words()
    synonyms = [
        bare(at.physical_name),
        *words.headings_of(contract.records, at.name),
        *_role_words(at),
    ]
    spoken = [bare(column.heading), bare(column.group + column.heading)]
    whole = tight(column.group + column.heading)
    if (
        _is_somebody(at)
        and any(other in whole for other in words.others)
        and not any(name in synonyms for name in spoken)
    ):
        return 0
    subjects = words.subjects.get(contract.records, ())
    full = [s + synonym for s in subjects for synonym in synonyms]
    if at.role in _NAME_ROLES:
        full += subjects
    if any(name in synonyms or name in full for name in spoken):
        return NAMED
    if tight(column.heading) in {tight(at.physical_name), tight(at.name)}:
        return NAMED
    inside = [s for s in synonyms if len(s) >= 2]
    if any(name.startswith(s) or name.endswith(s) for s in inside for name in spoken):
        return LIKE
    return NEARLY if any(_nearly(contract, at, s, name) for s in inside for name in spoken) else 0


def _is_somebody(at: Field) -> bool:
    """Whether the field says who somebody is, so that a column of somebody else must
    not be taken for it.
    """
    return at.is_identity or at.role in _NAME_ROLES or at.role in CHECKED_IDENTITIES


def _nearly(contract: Contract, at: Field, synonym: str, name: str) -> bool:
    """缴费到账时间 holds 缴费时间; 参保年份 is 参保年度 but for one character
    (only where a value has to be there).
    """
    if len(synonym) < 4 or _is_somebody(at) or at.role == "record_key":
        return False
    letters = iter(name)
    if all(letter in letters for letter in synonym):
        return True
    differing = sum(1 for one, other in zip(synonym, name, strict=False) if one != other)
    return contract.must_have(at) and len(synonym) == len(name) and differing == 1


def _role_words(at: Field) -> tuple[str, ...]:
    """Synonyms that a field has by its role: an applicant's number is a number."""
    words = office_words()
    if at.role in CHECKED_IDENTITIES:
        return words.headings[at.role]
    if at.role in _NAME_ROLES:
        return words.headings[at.role]
    if at.role == "updated_at":
        return words.headings["updated_at"]
    return ()


def _rank(contract: Contract, at: Field, column: Column) -> int:
    """The place of the heading in the field's own list of synonyms: the first is the best."""
    synonyms = [bare(at.physical_name), *office_words().headings_of(contract.records, at.name)]
    spoken = {bare(column.heading), bare(column.group + column.heading)}
    return next(
        (place for place, synonym in enumerate(synonyms) if synonym in spoken), len(synonyms)
    )


def fitness(contract: Contract, at: Field, column: Column) -> float:
    """The share of the column's filled cells that the field could hold;
    1 for a column without any.
    """
    if not column.filled:
        return 1.0 if not contract.must_have(at) else 0.0
    if at.codes:
        return column.share(lambda word: code_of(contract, at, word) is not None)
    if at.role in CHECKED_IDENTITIES:
        return column.share(is_id_number)
    if at.role in _NAME_ROLES:
        return column.share(is_name)
    if at.role == "record_key" and at.is_identity:
        return column.share(is_certificate)
    if at.role == "record_key":
        return (
            0.0 if column.mostly(is_id_number) or column.mostly(is_name) else column.share(_is_key)
        )
    return _typed_fitness(at, column)


def _typed_fitness(at: Field, column: Column) -> float:
    if at.type in ("date", "timestamp"):
        not_yet = column.share(lambda word: tight(word) in office_words().not_yet)
        months = column.share(lambda word: is_month(word) or is_dotted_month(word))
        return 1.0 if column.is_dates else column.share(is_date) + months + not_yet
    if at.type == "boolean":
        return column.share(is_boolean)
    if at.type == "integer" or at.type.startswith("decimal"):
        return column.share(lambda word: is_number(word) or is_counted(word))
    if "YYYYMM" in at.meaning:
        return column.share(
            lambda word: is_month(word) or is_dotted_month(word) or is_first_of_month(word)
        )
    # a text that is none of the known kinds of identity
    return 0.0 if column.is_identity and not at.is_identity else 1.0


def _is_key(word: str) -> bool:
    return any(character.isdigit() for character in word) and not is_id_number(word)


def code_of(contract: Contract, at: Field, word: str) -> str | None:
    """The code of a field that a word stands for, None where nobody knows."""
    spoken = tight(word)
    listed = {code.code: code for code in at.codes}
    if spoken in listed:
        return spoken
    for code in at.codes:
        meanings = tight(code.meaning)
        chinese = [part for part in code.meaning.split() if not part.isascii()]
        if spoken and (spoken == meanings or spoken in map(tight, (*chinese, *code.written))):
            return code.code
    for code_name, written in office_words().codes_of(contract.records, at.name).items():
        known = {tight(each) for each in written}
        if code_name in listed and (spoken in known or bare(word) in known):
            return code_name
    return _numeric_code(spoken, listed)


def _numeric_code(spoken: str, listed: Mapping[str, object]) -> str | None:
    """`4.0` for 4, `1` for 01 where the list has one width."""
    plain = spoken.removesuffix(".0")
    widths = {len(code) for code in listed}
    if len(widths) == 1 and plain.isdigit():
        plain = plain.zfill(widths.pop())
    return plain if plain in listed else None


def _doubts(
    contract: Contract, at: Field, column: Column, found: int, rivals: Sequence[Column]
) -> list[str]:
    doubts = []
    others = [c.physical_name for c in rivals if c.place != column.place]
    if others:
        doubts.append(
            f"{at.name} is read from {column.physical_name!r}; {_named_list(others)} would fit as"
            " well"
        )
    if at.role == "record_key" and distinct(column) < ENOUGH:
        doubts.append(
            f"{column.physical_name!r} stands in several rows: is it the record's own number?"
        )
    if found in (LIKE, NEARLY):
        doubts.append(f"is {column.physical_name!r} really {at.name}{_meaning(at)}?")
    return doubts


def _by_content(
    contract: Contract,
    at: Field,
    columns: Sequence[Column],
    matches: dict[str, Match],
    taken: dict[int, str],
) -> None:
    """A field that no heading speaks for: the one free column whose cells fit
    it and could be little else.
    """
    tell = _telling(contract, at)
    if tell is None or not (at.required or at.codes):
        return
    others = office_words().others
    free = [
        c
        for c in columns
        if c.place not in taken
        and c.filled
        and tell(c)
        and not (_is_somebody(at) and any(o in tight(c.group + c.heading) for o in others))
    ]
    if not free:
        return
    doubt = (
        f"no heading says {at.name}{_meaning(at)}; is it"
        f" {_named_list([c.physical_name for c in free])}?"
    )
    matches[at.name] = Match(at, free[0], BY_CONTENT, [doubt])
    taken[free[0].place] = at.name


def _by_name_alone(
    contract: Contract,
    at: Field,
    columns: Sequence[Column],
    matches: dict[str, Match],
    taken: dict[int, str],
) -> None:
    """A free column that is called as the field is, though its cells do not look like it."""
    free = [c for c in columns if c.place not in taken and _named(contract, at, c) == NAMED]
    if free:
        column = min(free, key=lambda c: (_rank(contract, at, c), c.place))
        doubt = (
            f"{column.physical_name!r} is called like {at.name}{_meaning(at)}, and its cells do not"
            " look like it: is it?"
        )
        matches[at.name] = Match(at, column, NAMED, [doubt])
        taken[column.place] = at.name


def _telling(contract: Contract, at: Field) -> Callable[[Column], bool] | None:
    if at.role in CHECKED_IDENTITIES:
        return lambda c: c.mostly(is_id_number)
    if at.role in _NAME_ROLES:
        return lambda c: c.mostly(is_name) and not c.is_codes
    if at.role == "record_key" and at.is_identity:
        return lambda c: c.mostly(is_certificate)
    if at.role == "record_key":
        return lambda c: (
            c.is_unique and c.share(_is_key) > 0.9 and not c.is_identity and _sounds_like_key(c)
        )
    if at.codes:
        return lambda c: fitness(contract, at, c) >= 0.9 and len(c.words) > 1
    if at.type == "date" and at.required:
        return lambda c: c.is_dates and "出生" not in c.heading
    return None


def _sounds_like_key(column: Column) -> bool:
    heading = bare(column.heading)
    return heading.endswith(("号", "编号", "编码", "代码", "ID", "id")) and heading not in (
        "序号",
        "门牌号",
        "电话号",
    )


def fitting(contract: Contract, at: Field, columns: Sequence[Column]) -> list[Column]:
    """Of columns that nobody reads, those that could hold the field as far as their cells go."""
    kinds = {"date": is_date, "timestamp": is_date, "boolean": is_boolean, "integer": is_number}
    kind = is_number if at.type.startswith("decimal") else kinds.get(at.type)
    return [
        c
        for c in columns
        if _may_be(c) and (c.is_dates if kind is is_date else c.mostly(kind) if kind else False)
    ]


def _may_be(column: Column) -> bool:
    heading = bare(column.heading)
    return bool(column.filled) and heading not in _COUNTERS and not column.is_identity


def distinct(column: Column) -> float:
    """The share of distinct values among the filled cells."""
    return len(column.words) / len(column.filled) if column.filled else 1.0


def _meaning(at: Field) -> str:
    return f" ({at.meaning})" if at.meaning else ""


def _named_list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
