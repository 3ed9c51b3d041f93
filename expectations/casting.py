"""From the text that a department delivered to the contract's type: strict, never silently rounded.

Belongs here: one SQL expression per type. Not here: reading batches (`landing`), trimming
(`folding`), words (`words`), the many spellings of dates (`dates`), nor rules on values (`rules`).
"""

from __future__ import annotations

import re

from expectations.contract import ContractError, Field
from expectations.dates import Cell, moment, month
from expectations.engine import literal
from expectations.words import FALSE, TRUE
from expectations.writing import NumberForm, conflicts, date_form, number_form

_CLOCK = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ANY_YEAR, _YEAR = "[0-9]{4}", "(?:19[0-9]{2}|20[0-9]{2}|2100)"
_OFFSET = r"(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)"
_ISO_DAY = "YYYY-M-D"


def sql_type(kind: str) -> str:
    """The engine's type for a contract's type."""
    simple = {
        "text": "varchar",
        "integer": "bigint",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamp",
    }
    if kind in simple:
        return simple[kind]
    if re.fullmatch(r"decimal\([0-9]+,[0-9]+\)", kind):
        return kind
    raise ContractError(
        f"type {kind} is not known:",
        "use text, integer, boolean, date, timestamp or decimal(p,s)",
    )


def typed(field: Field, text: str, form: str, is_number: str | None = None) -> str:
    """An expression that gives the value of `text` in the contract's type,
    null where it does not fit.

    `form` is how the record type was delivered: the exchange platform (`api`) writes booleans,
    numbers and dates in one way only, spreadsheets and databases in several. `is_number` is a
    condition: whether the cell was a number cell.
    """
    sql_type(field.type)
    if field.type == "text":
        return month(field, Cell(text, form, is_number)) if field.written else text
    if form == "api":
        return _platform(field, text)
    if field.type == "boolean":
        return _boolean(text)
    if field.type in ("date", "timestamp"):
        return _time(field, Cell(text, form, is_number))
    return _number(field, Cell(text, form, is_number))


def _platform(field: Field, text: str) -> str:
    """What the exchange platform writes; the contract's forms besides, where it names any."""
    strict = {
        "integer": _integer,
        "boolean": _platform_boolean,
        "date": _date,
        "timestamp": _timestamp,
    }.get(field.type)
    if strict is None:
        return (
            _number(field, Cell(text, "api", None)) if field.written else _decimal(field.type, text)
        )
    if not field.written:
        return strict(text)
    if field.type == "integer":
        return _number(field, Cell(text, "api", None))
    return _time(field, Cell(text, "api", None))


# numbers


def _decimals(kind: str) -> str:
    scale = int(kind[:-1].split(",")[1]) if kind.startswith("decimal") else 0
    return f"([.][0-9]{{1,{scale}}}0*)?" if scale else "([.]0+)?"


def _decimal(kind: str, text: str) -> str:
    return (
        f"case when regexp_matches({text}, '^[+-]?[0-9]+{_decimals(kind)}$') then try_cast({text}"
        f" as {kind}) end"
    )


def _integer(text: str) -> str:
    return (
        f"case when regexp_matches({text}, '^[+-]?[0-9]+([.]0+)?$') then"
        f" try_cast(split_part({text}, '.', 1) as bigint) end"
    )


def _number(field: Field, cell: Cell) -> str:
    """A plain number, or one with thousands separators in threes, a unit behind it,
    a sign of money before it.
    """
    forms = [number_form(form, field.unit) for form in field.written]
    strict = _integer if field.type == "integer" else lambda text: _decimal(field.type, text)
    if not any(form.factor != 1 for form in forms):
        plain = f"regexp_matches({cell.text}, '^[+-]?[0-9]+{_decimals(field.type)}$')"
        return f"case when {plain} then {strict(cell.text)} else {_spelt(field, cell, forms)} end"
    return _spelt(field, cell, forms)


def _spelt(field: Field, cell: Cell, forms: list[NumberForm]) -> str:
    factor = next((form.factor for form in forms), None)
    is_amount = field.unit is None and field.type.startswith("decimal")
    money = is_amount or field.unit in ("yuan", "yuan/month") or any(f.is_money for f in forms)
    words = [word for form in forms for word in (form.word, form.word.removesuffix("元")) if word]
    if money and not any(form.is_money for form in forms):
        words.append("元")
    if field.unit == "10k yuan" and not any(form.is_money for form in forms):
        words += ["万元", "万"]
    tail = f"(?: ?(?:{'|'.join(sorted(set(words), key=len, reverse=True))}))?" if words else ""
    sign = "[￥¥]? ?" if money else ""
    digits = "[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+"
    shape = (
        f"^{sign}([+-]?)({digits})([.][0-9]+)?{tail}$|^([+-]){sign}({digits})([.][0-9]+)?{tail}$"
    )
    bare = (
        f"replace(regexp_replace({_at_hand(cell)}, {literal(shape)}, '\\1\\2\\3\\4\\5\\6'),"
        " ',', '')"
    )
    read = f"case when regexp_matches({_at_hand(cell)}, {literal(shape)}) then {bare} end"
    if factor is None or factor == 1:
        inner = _integer("x") if field.type == "integer" else _decimal(field.type, "x")
    else:
        inner = _multiplied(field.type, "x", str(factor))
    return f"list_transform([{read}], x -> {inner})[1]"


def _at_hand(cell: Cell) -> str:
    """The text of a number; a spreadsheet's own arithmetic leaves noise behind
    the fifteenth digit (1234.5600000000001).
    """
    if cell.is_number is None:
        return cell.text
    noisy = f"length({cell.text}) > 16 and strpos({cell.text}, '.') > 0 and {cell.is_number}"
    return (
        f"(case when {noisy} then format('{{:.15g}}', try_cast({cell.text} as double)) else"
        f" {cell.text} end)"
    )


def _multiplied(kind: str, text: str, factor: str) -> str:
    """The number in the field's unit, null where that has more places than the type."""
    target = "bigint" if kind == "integer" else kind
    places = len(factor.partition(".")[2])
    exact = f"try_cast({text} as decimal(28,10)) * cast({literal(factor)} as decimal(9,{places}))"
    fits = f"regexp_matches({text}, '^[+-]?[0-9]{{1,17}}([.][0-9]{{1,10}}0*)?$')"
    return (
        f"case when {fits} and {exact} = try_cast({exact} as {target}) then try_cast({exact} as"
        f" {target}) end"
    )


# booleans


def _platform_boolean(text: str) -> str:
    return f"case {text} when 'true' then true when 'false' then false end"


def _boolean(text: str) -> str:
    true, false = (", ".join(literal(word) for word in words) for words in (TRUE, FALSE))
    return (
        f"case when lower({text}) in ({true}) then true when lower({text}) in ({false}) then"
        " false end"
    )


# dates and times


def _time(field: Field, cell: Cell) -> str:
    """The platform's form first, since nearly every value has it;
    then every other that can mean one thing only.
    """
    # a database's 9999-12-31 is kept and counted (`marks`); in a file it is as far off in any form
    year = _YEAR if cell.form == "file" else _ANY_YEAR
    strict = _date(cell.text, year) if field.type == "date" else _timestamp(cell.text, year)
    read = moment(field, cell)
    spelt = f"cast({read} as date)" if field.type == "date" else read
    if any(
        conflicts(date_form(form), date_form(_ISO_DAY)) for form in field.written if form != "excel"
    ):
        return spelt
    return f"coalesce({strict}, case when {cell.text} is not null then {spelt} end)"


def _date(text: str, year: str = _ANY_YEAR) -> str:
    return (
        f"case when regexp_matches({text}, '^{year}-[0-9]{{2}}-[0-9]{{2}}$') then"
        f" try_cast({text} as date) end"
    )


def _timestamp(text: str, year: str = _ANY_YEAR) -> str:
    stamp = rf"{year}-[0-9]{{2}}-[0-9]{{2}}[T ]{_CLOCK}"
    here, elsewhere = rf"^{stamp}([+]08(:?00)?)?$", rf"^{stamp}{_OFFSET}$"
    local = f"regexp_replace({text}, '[+]08(:?00)?$', '')"
    return (
        f"case when ends_with({text}, '+08:00') and regexp_matches({text}, '{here}') then"
        f" try_cast(left({text}, length({text}) - 6) as timestamp) when regexp_matches({text},"
        f" '{here}') then try_cast({local} as timestamp) when regexp_matches({text}, '{elsewhere}')"
        f" then timezone('Asia/Shanghai', try_cast({text} as timestamptz)) end"
    )
