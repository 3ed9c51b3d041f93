"""The SELECT that makes typed rows of a batch's delivered text:
one pass over the rows, whatever the department writes.

Belongs here: the order of the steps (trim, look at marks, words, types, keys). Not here: the steps
themselves (`folding`, `words`, `casting`), reading and writing files (`landing`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from expectations.casting import sql_type, typed
from expectations.contract import Contract, Field
from expectations.engine import literal, name
from expectations.folding import (
    Kind,
    folded,
    has_control,
    is_reference,
    kind_of,
    needs_care,
    present,
    without_control,
)
from expectations.idnumber import somebodys
from expectations.marks import FAR_DAY, ROUNDED, delivered_marks, is_key, spoils
from expectations.words import is_nothing, meant

SEPARATOR, ESCAPE = "|", "~"
"""Between the parts of a composite key, and what stands before either within a part."""

NONE = "[]::varchar[]"
NOTHING = "null::varchar[]"


@dataclass(frozen=True)
class Delivery:
    """What is known of a batch besides its rows."""

    form: str
    """How it came: api, file or sql."""
    columns: frozenset[str]
    """The columns that the delivery has."""
    extract_date: date
    has_marks: bool = False
    """Whether the reader marked cells (`_marks`)."""
    has_numbers: bool = False
    """Whether the reader says which cells were number cells (`_numbers`)."""


@dataclass(frozen=True)
class _Cell:
    """One field on its way: the columns of the query that hold it."""

    place: int
    field: Field
    kind: Kind

    @property
    def raw(self) -> str:
        """The text as delivered."""
        if self.field.constant is not None:
            return literal(self.field.constant)
        if self.field.source is not None:
            return "_sheet" if self.field.source == "sheet" else "_part"
        return name(self.field.physical_name)

    @property
    def text(self) -> str:
        return f"_t{self.place}"

    @property
    def meant(self) -> str:
        return f"_m{self.place}"


def typed_select(contract: Contract, numbered: str, delivery: Delivery) -> str:
    """`_row`, `_op`, every field by its logical name and in its type, and what could not be read.

    `_misfit`: the fields whose text does not fit their type; `_unread`: those whose cell was
    damaged, so that nothing is known of their value; `_marked`: `<rule>:<field>` for each damaged
    cell; `_key_text`: the key as delivered where folding changed it. `numbered`: a SELECT with
    `_row`, `_op` and the text of every delivered column.
    """
    cells = [
        _Cell(i, field, kind_of(field))
        for i, field in enumerate(f for f in contract.fields if f.derived is None)
    ]
    looked_at = [cell.raw for cell in cells if cell.field.constant is None]
    row_text, care = needs_care(looked_at or ["''"])
    kept = [
        "_row",
        "_op",
        *(["_marks"] if delivery.has_marks else []),
        *(["_numbers"] if delivery.has_numbers else []),
    ]
    texts = ", ".join(f"{_text(cell, delivery)} as {cell.text}" for cell in cells)
    words = ", ".join(
        f"{meant(c.field, c.text, delivery.form, _has_column(c, delivery))} as {c.meant}"
        for c in cells
    )
    spoilt = {cell.place: spoils(cell.field, delivery.has_marks) for cell in cells}
    values = ", ".join(
        f"{_value(cell, delivery, spoilt[cell.place])} as {name(cell.field.name)}" for cell in cells
    )
    raw_key, folded_key = _key_texts(contract, cells)
    derived = "".join(
        f", {_derived(contract, field, delivery)} as {name(field.name)}"
        for field in contract.fields
        if field.derived
    )
    return f"""
    with numbered as ({numbered}),
    looked as (select *, {row_text} as _row_text from numbered),
    cared as (select *, {care} as _care from looked),
    present as (
        select {", ".join(kept)}, {texts}, {_marked(cells, delivery)} as _marked,
            {raw_key} as _raw_key
        from cared
    ),
    meant as (
        select {", ".join(kept)}, {words}, {_with_identities(contract, cells)} as _marked,
            case when _raw_key <> {folded_key} then _raw_key end as _key_text
        from present
    ),
    value as (select *, {values} from meant)
    select _row, _op, {", ".join(name(f.name) for f in contract.fields if not f.derived)}{derived},
        {_misfit(cells, spoilt)} as _misfit, {_unread(cells, spoilt)} as _unread, _marked, _key_text
    from value
    """


def key_select(contract: Contract, keys: str, columns: list[str], form: str) -> str:
    """The keys (`record_key`) of a relation that has the key's parts as delivered in `columns`,
    spelt as landing spells them.
    """
    parts = contract.key_fields
    derived = tuple(field for field in contract.fields if field.derived == "key")
    reduced = replace(contract, fields=(*parts, *derived))
    named = {column.lower(): column for column in columns}
    by_name = [
        named.get(part.physical_name.lower(), columns[min(i, len(columns) - 1)])
        for i, part in enumerate(parts)
    ]
    text = ", ".join(
        f"{name(column)}::varchar as {name(part.physical_name)}"
        for part, column in zip(parts, by_name, strict=True)
    )
    delivery = Delivery(form, frozenset(part.physical_name for part in parts), date.min)
    key = name(contract.record_key.name)
    rows = typed_select(
        reduced, f"select 1::bigint as _row, 'U' as _op, {text} from ({keys})", delivery
    )
    return f"select distinct {key} as record_key from ({rows}) where {key} is not null"


def _text(cell: _Cell, delivery: Delivery) -> str:
    """The text that is meant; rows that need no care are taken as they are."""
    raw = f"upper({cell.raw})" if cell.kind == "number" and delivery.form != "api" else cell.raw
    if cell.field.constant is not None:
        return raw
    if delivery.form == "api":
        return (
            "case when _care then"
            f" {present(without_control(cell.raw) if cell.kind != 'value' else cell.raw)} else"
            f" {raw} end"
        )
    text = f"case when _care then {folded(cell.raw, cell.kind)} else {raw} end"
    if delivery.has_numbers and cell.kind in ("code", "number"):
        # A number cell without a fraction is the number's digits.
        whole = (
            f"strpos({cell.raw}, '.') > 0 and {_is_number(cell)} and regexp_matches({cell.raw},"
            " '^[0-9]+[.]0+$')"
        )
        text = f"case when {whole} then split_part({cell.raw}, '.', 1) else {text} end"
    return text


def _is_number(cell: _Cell) -> str:
    return f"list_contains(_numbers, {literal(cell.field.physical_name)})"


def _has_column(cell: _Cell, delivery: Delivery) -> bool:
    return cell.field.physical_name in delivery.columns


def _marked(cells: list[_Cell], delivery: Delivery) -> str:
    """`<rule>:<field>` of every damaged cell: what the reader saw, and what is seen in the text."""
    controlled = [
        f"case when {has_control(c.raw)} then {literal('control_character:' + c.field.name)} end"
        for c in cells
        if c.kind != "value"
    ]
    rounded = [
        f"case when regexp_matches({c.raw}, {literal(ROUNDED)}) then"
        f" {literal('damaged:' + c.field.name)} end"
        for c in cells
        if c.field.constant is None
        and (c.kind == "number" or is_reference(c.field) or c.field.key_position is not None)
    ]
    if delivery.has_numbers:
        rounded += [
            f"case when strpos({c.raw}, '.') > 0 and {_is_number(c)} and not"
            f" regexp_matches({c.raw}, '[.]0+$') then {literal('damaged:' + c.field.name)} end"
            for c in cells
            if c.field.type == "text"
            and (c.field.key_position is not None or c.field.role == "record_key")
        ]
    own = ", ".join([*controlled, *(rounded if delivery.form != "api" else [])])
    seen = f"list_filter([{own}], x -> x is not null)" if own else NONE
    looks = "_care or len(_numbers) > 0" if delivery.has_numbers else "_care"
    found = f"case when {looks} then nullif({seen}, []) end"
    if delivery.form == "sql":
        found = _with_far_days(cells, found)
    if not delivery.has_marks:
        return found
    marks = delivered_marks([cell.field for cell in cells])
    return (
        f"case when len(_marks) > 0 then list_distinct(list_concat({marks}, {found})) else"
        f" {found} end"
    )


def _with_far_days(cells: list[_Cell], marked: str) -> str:
    """The marks, and one more for each day that a database keeps for one that nobody knows."""
    days = [c for c in cells if c.field.type in ("date", "timestamp") and c.field.is_delivered]
    far = [
        f"case when regexp_matches({c.raw}, {literal(FAR_DAY)}) and not"
        f" {is_nothing(c.field, c.raw)} then {literal('far_day:' + c.field.name)} end"
        for c in days
    ]
    if not far:
        return marked
    seen = f"list_filter([{', '.join(far)}], x -> x is not null)"
    return f"nullif(list_concat(coalesce({marked}, {NONE}), {seen}), [])"


def _with_identities(contract: Contract, cells: list[_Cell]) -> str:
    """The marks, and one more where a record number that is to be published looks like
    somebody's.
    """
    if contract.is_pseudonymous:
        return "_marked"
    names = {part.name for part in contract.key_fields}
    parts = [c for c in cells if c.field.name in names and c.field.type == "text"]
    looks = " or ".join(f"{somebodys(cell.text)}" for cell in parts)
    mark = literal(f"identity:{contract.record_key.name}")
    return (
        f"case when {looks} then list_append(coalesce(_marked, {NONE}), {mark}) else _marked end"
        if looks
        else "_marked"
    )


def _value(cell: _Cell, delivery: Delivery, spoilt: str) -> str:
    """The value in its type; nothing where the cell is damaged beyond use,
    a number that nobody has where it lost digits.
    """
    number = _is_number(cell) if delivery.has_numbers else None
    value = typed(cell.field, cell.meant, delivery.form, number)
    if spoilt:
        value = f"case when _marked is not null and ({spoilt}) then null else {value} end"
    if cell.kind in ("number", "code") and not is_key(cell.field) and not cell.field.codes:
        lost = f"list_contains(_marked, {literal('damaged:' + cell.field.name)})"
        # 6.1E+17 shows what it is; digits that were lost do not, so that what is left must be no
        # number
        shown = (
            f"{cell.meant} || case when regexp_matches({cell.meant}, '[Ee]') then '' else '?' end"
        )
        value = f"case when _marked is not null and {lost} then {shown} else {value} end"
    return f"({value})::{sql_type(cell.field.type)}"


def _derived(contract: Contract, field: Field, delivery: Delivery) -> str:
    if field.derived == "updated_at":
        return f"timestamp '{delivery.extract_date.isoformat()} 00:00:00'"
    return composite([f"cast({name(part.name)} as varchar)" for part in contract.key_fields])


def composite(parts: list[str]) -> str:
    """One text of several, from which each can be told; null where one is."""

    def escaped(part: str) -> str:
        return (
            f"replace(replace({part}, '{ESCAPE}', '{ESCAPE * 2}'), '{SEPARATOR}',"
            f" '{ESCAPE}{SEPARATOR}')"
        )

    return f" || '{SEPARATOR}' || ".join(escaped(part) for part in parts)


def _key_texts(contract: Contract, cells: list[_Cell]) -> tuple[str, str]:
    """The key as delivered, and as it is once folded (before its words)."""
    names = {part.name for part in contract.key_fields}
    parts = [cell for cell in cells if cell.field.name in names and cell.field.constant is None]
    if len(parts) == 1:
        return parts[0].raw, parts[0].text
    raw, text = (", ".join(getattr(cell, stage) for cell in parts) for stage in ("raw", "text"))
    return (
        (f"concat_ws('{SEPARATOR}', {raw})", f"concat_ws('{SEPARATOR}', {text})")
        if parts
        else ("null::varchar", "null::varchar")
    )


def _misfit(cells: list[_Cell], spoilt: dict[int, str]) -> str:
    casts = [cell for cell in cells if cell.field.type != "text" or cell.field.written]

    def condition(cell: _Cell) -> str:
        damage = (
            f" and not (_marked is not null and ({spoilt[cell.place]}))"
            if spoilt[cell.place]
            else ""
        )
        return f"{cell.meant} is not null and {name(cell.field.name)} is null{damage}"

    return _listed([(condition(cell), cell.field.name) for cell in casts])


def _unread(cells: list[_Cell], spoilt: dict[int, str]) -> str:
    wrong = [(spoilt[cell.place], cell.field.name) for cell in cells if spoilt[cell.place]]
    return f"case when _marked is not null then {_listed(wrong)} end" if wrong else NOTHING


def _listed(wrong: list[tuple[str, str]]) -> str:
    """The names whose condition holds."""
    if not wrong:
        return NONE
    listed = ", ".join(
        f"case when {condition} then {literal(field)} end" for condition, field in wrong
    )
    anywhere = " or ".join(f"({condition})" for condition, _ in wrong)
    return f"case when {anywhere} then list_filter([{listed}], f -> f is not null) else {NONE} end"
