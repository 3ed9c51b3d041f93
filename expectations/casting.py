"""From the text that a department delivered to the contract's type: strict, never silently rounded.

Belongs here: one SQL expression per type. Not here: reading batches (`landing`), nor rules on values (`rules`).
"""

from __future__ import annotations

import re

from expectations.contract import ContractError
from expectations.engine import literal

BLANKS = r" \t\r\n\f\v\x{00a0}\x{2000}-\x{200d}\x{202f}\x{2060}\x{3000}\x{feff}"
"""What a cell may hold and still be blank: spaces of every width, and characters without any (as a regex class)."""

_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_OFFSET = r"(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)"


def present(text: str) -> str:
    """`text` as delivered, null where nothing is left of it after trimming."""
    return f"case when regexp_matches({text}, {literal(f'[^{BLANKS}]')}) then {text} end"


def sql_type(kind: str) -> str:
    """The engine's type for a contract's type."""
    simple = {"text": "varchar", "integer": "bigint", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}
    if kind in simple:
        return simple[kind]
    if re.fullmatch(r"decimal\([0-9]+,[0-9]+\)", kind):
        return kind
    raise ContractError(f"type {kind} is not known: use text, integer, boolean, date, timestamp or decimal(p,s)")


def typed(kind: str, text: str, form: str) -> str:
    """An expression that gives the value of `text` in the contract's type, null where it does not fit.

    `form` is how the record type was delivered: the exchange platform (`api`) writes booleans and dates in one way
    only, spreadsheets and databases in several.
    """
    if kind == "text":
        return text
    if kind.startswith("decimal"):
        return _decimal(kind, text)
    return {"integer": _integer, "boolean": _boolean, "date": _date, "timestamp": _timestamp}[kind](text, form)


def _decimal(kind: str, text: str) -> str:
    sql_type(kind)
    scale = int(kind[:-1].split(",")[1])
    decimals = f"([.][0-9]{{1,{scale}}}0*)?" if scale else "([.]0+)?"
    return f"case when regexp_matches({text}, '^[+-]?[0-9]+{decimals}$') then try_cast({text} as {kind}) end"


def _integer(text: str, form: str) -> str:
    return f"case when regexp_matches({text}, '^[+-]?[0-9]+([.]0+)?$') then try_cast(split_part({text}, '.', 1) as bigint) end"


def _boolean(text: str, form: str) -> str:
    if form == "api":
        return f"case {text} when 'true' then true when 'false' then false end"
    return f"case when lower({text}) in ('true', 't', '1', '是') then true when lower({text}) in ('false', 'f', '0', '否') then false end"


def _date(text: str, form: str) -> str:
    midnight = "" if form == "api" else "([T ]00:00(:00([.]0+)?)?)?"
    return f"case when regexp_matches({text}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{midnight}$') then try_cast(left({text}, 10) as date) end"


def _timestamp(text: str, form: str) -> str:
    here = rf"^{_STAMP}([+]08(:?00)?)?$"
    elsewhere = rf"^{_STAMP}{_OFFSET}$"
    local = f"regexp_replace({text}, '[+]08(:?00)?$', '')"
    return (
        f"case when ends_with({text}, '+08:00') and regexp_matches({text}, '{here}') "
        f"then try_cast(left({text}, length({text}) - 6) as timestamp) "
        f"when regexp_matches({text}, '{here}') then try_cast({local} as timestamp) "
        f"when regexp_matches({text}, '{elsewhere}') then timezone('Asia/Shanghai', try_cast({text} as timestamptz)) end"
    )
