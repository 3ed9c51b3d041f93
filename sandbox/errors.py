"""What errors do to a number and a name, as SQL over a sound number `id`, a name `name` and dice.

Belongs here: one expression a kind of error, when it can happen, and where the record must end. Not
here: rates (`rates`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.names import RARE, RARE_PINYIN, SIMPLIFIED, STANDARD, TRADITIONAL, VARIANT


@dataclass(frozen=True)
class Kind:
    """A kind of error in an identity. `roll` is a number drawn for the record."""

    name: str
    eligible: str
    number: str = "id"
    said_name: str = "name"
    outcome: str = "person"
    """`person`: what the register has of the true person decides; else the outcome, whoever it is.
    """
    of_few: bool = False
    """Its rate is of those few records that are eligible, not of all."""
    in_certificate: bool = True
    """Whether it makes sense in the first 18 of a certificate number, which is a record key."""


def _pick(positions: str) -> str:
    return f"list_filter({positions})[1 + roll % greatest(1, len(list_filter({positions})))]"


_LOOK = "range(1, 18), lambda i: contains('01852', substr(id, i, 1))"
_SWAP = "range(1, if(id like '%X', 17, 18)), lambda i: substr(id, i, 1) <> substr(id, i + 1, 1)"
_LOOK_AT = _pick(_LOOK)
_SWAP_AT = _pick(_SWAP)
_LETTER = (
    f"substr(if(roll % 7 = 0, 'oibsz', 'OlBSZ'), strpos('01852', substr(id, {_LOOK_AT}::int,"
    " 1))::int, 1)"
)
_DIGIT_AT = "(1 + roll % 17)::int"
TRAITS = f"""
    contains(name, '·') as has_dot, regexp_matches(name, '[{RARE}]') as has_rare,
    translate(name, '{STANDARD}', '{VARIANT}') <> name as has_variant,
    translate(name, '{SIMPLIFIED}', '{TRADITIONAL}') <> name as has_traditional
"""
"""What of a name matters for the errors that it can carry, as SQL over `name`."""
_RARE_IN = f"regexp_extract(name, '[{RARE}]')"
_PINYIN = (
    "case "
    + _RARE_IN
    + " "
    + " ".join(f"when '{c}' then '{p}'" for c, p in zip(RARE, RARE_PINYIN, strict=True))
    + " else '?' end"
)

KINDS: tuple[Kind, ...] = (
    Kind("fullwidth", "true", "translate(id, '0123456789X', '０１２３４５６７８９Ｘ')"),
    Kind(
        "separators",
        "true",
        """case roll % 7
            when 0 then ' ' || id when 1 then id || '  '
                when 2 then substr(id, 1, 6) || ' ' || substr(id, 7, 8) || ' ' || substr(id, 15)
            when 3 then '''' || id when 4 then substr(id, 1, 6) || '-' || substr(id, 7, 8) || '-'
                || substr(id, 15)
            when 5 then substr(id, 1, 10) || chr(8203) || substr(id, 11)
                else chr(65279) || id || chr(12288) end""",
    ),
    Kind(
        "lower_x",
        "id like '%X'",
        "substr(id, 1, 17) || (['x', '×', '*', 'Х', 'x'])[1 + roll % 5]",
        of_few=True,
    ),
    Kind(
        "old15",
        "birth < date '1999-10-01'",
        "substr(id, 1, 6) || substr(id, 9, 9)",
        in_certificate=False,
    ),
    Kind(
        "lookalike",
        f"len(list_filter({_LOOK})) > 0",
        f"substr(id, 1, {_LOOK_AT}::int - 1) || {_LETTER} || substr(id, {_LOOK_AT}::int + 1)",
    ),
    Kind(
        "swap",
        f"len(list_filter({_SWAP})) > 0",
        f"""substr(id, 1, {_SWAP_AT}::int - 1) || substr(id, {_SWAP_AT}::int + 1, 1)
            || substr(id, {_SWAP_AT}::int, 1) || substr(id, {_SWAP_AT}::int + 2)""",
    ),
    Kind(
        "wrong_digit",
        "true",
        f"""substr(id, 1, {_DIGIT_AT} - 1)
            || ((substr(id, {_DIGIT_AT}, 1)::int + 1 + (roll // 17) % 9) % 10)::varchar
            || substr(id, {_DIGIT_AT} + 1)""",
        outcome="unidentifiable",
    ),
    Kind("relative", "has_relative", "relative_id", outcome="ambiguous"),
    Kind("wrong_person", "true", "other_id", outcome="ambiguous"),
    Kind(
        "placeholder",
        "true",
        "if(roll % 2 = 0, '999999999999999999', '999999' || substr(id, 7, 8) || '0000')",
        outcome="unidentifiable",
        in_certificate=False,
    ),
    Kind(
        "damaged",
        "substr(id, 16) <> '000'",
        "substr(id, 1, 15) || '000'",
        outcome="unidentifiable",
        in_certificate=False,
    ),
    Kind(
        "scientific",
        "true",
        "substr(id, 1, 1) || '.' || substr(id, 2, 5) || 'E+17'",
        outcome="unidentifiable",
        in_certificate=False,
    ),
    Kind("empty", "true", "null", outcome="quarantined", in_certificate=False),
    Kind(
        "name_traditional",
        "has_traditional",
        said_name=f"translate(name, '{SIMPLIFIED}', '{TRADITIONAL}')",
    ),
    Kind(
        "name_variant",
        "has_variant",
        said_name=f"translate(name, '{STANDARD}', '{VARIANT}')",
        of_few=True,
    ),
    Kind(
        "name_dot",
        "has_dot",
        said_name="replace(name, '·', (['•', '.', '・', '', ' '])[1 + roll % 5])",
        of_few=True,
    ),
    Kind(
        "name_space",
        "true",
        said_name="""case roll % 3 when 0 then substr(name, 1, 1) || ' ' || substr(name, 2)
            when 1 then name || '  '
            else substr(name, 1, 1) || chr(12288) || substr(name, 2) end""",
    ),
    Kind(
        "name_rare",
        "has_rare",
        said_name=(
            f"replace(name, {_RARE_IN}, case roll % 3 when 0 then '□' when 1 then '?' else"
            f" {_PINYIN} end)"
        ),
        of_few=True,
    ),
    Kind("name_empty", "true", said_name="null"),
)


def chosen(rates: dict[str, float], certificates: bool) -> str:
    """An SQL expression: the kind of error that record `s` carries, by its `luck`; `none` where
    none is eligible.
    """
    common, special, bound = [], [], 0.0
    for index, kind in enumerate(KINDS):
        if rates[kind.name] <= 0 or (certificates and not kind.in_certificate):
            continue
        if kind.of_few:
            special.append(
                f"when ({kind.eligible}) and chance(s, {40 + index}) < {rates[kind.name]:.9f} then"
                f" '{kind.name}'"
            )
        else:
            low, bound = bound, bound + rates[kind.name]
            common.append(
                f"when luck >= {low:.9f} and luck < {bound:.9f} and ({kind.eligible}) then"
                f" '{kind.name}'"
            )
    unlucky = (
        [f"when luck < {bound:.9f} then case {' '.join(common)} else 'none' end"] if common else []
    )
    arms = special + unlucky
    return f"case {' '.join(arms)} else 'none' end" if arms else "'none'"


def applied(what: str) -> str:
    """An SQL expression over `kind`: the `number` or the `said_name` as delivered."""
    plain = "id" if what == "number" else "name"
    arms = [
        f"when '{kind.name}' then {getattr(kind, what)}"
        for kind in KINDS
        if getattr(kind, what) != plain
    ]
    return f"case kind {' '.join(arms)} else {plain} end"


def outcome() -> str:
    """An SQL expression over `kind`: where the record must end; `person` where the register
    decides.
    """
    arms = [
        f"when '{kind.name}' then '{kind.outcome}'" for kind in KINDS if kind.outcome != "person"
    ]
    return f"case kind {' '.join(arms)} else 'person' end"
