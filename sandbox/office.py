"""Rows as people in an office write them: words for codes, dates as typed, a sheet for each
township.

Belongs here: SELECTs of cells as text, and what stands round the table. Not here: which file is due
(`drop`), the workbook's XML (`sheet`).

Whatever is written here comes out of the contract's reading as the tidy file's rows do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from expectations.contract import Contract, Field
from expectations.engine import literal, parquet
from sandbox.county import County
from sandbox.places import TOWNS
from sandbox.render import text_value
from sandbox.sheet import DATE_CELL, Layout, Sheet

TYPED_DATES = ("%Y-%m-%d", "%Y.%-m.%-d", "%Y/%-m/%-d", "%Y年%-m月%-d日", "%Y%m%d")
"""As people type a date; the year comes first in all."""
NO_DATE = ("", "-", "/")
SIGNED = "填表人：王某          审核人：李某          单位负责人（签字）：张某"


def _one_of(texts: tuple[str, ...], key: str, salt: int) -> str:
    """One of the SQL expressions `texts` for each row, always the same for the same key."""
    dice = f"((hash({key}) >> 8)::bigint // {7**salt}) % {len(texts)}"
    arms = " ".join(f"when {place} then {text}" for place, text in enumerate(texts))
    return f"case {dice} {arms} end"


def _words(field: Field, column: str) -> str:
    """The code's word where the contract has one; a code that is none stays as it is."""
    words = [(c.code, c.written[0]) for c in field.codes if c.written]
    if not words:
        return column
    arms = " ".join(f"when {literal(code)} then {literal(word)}" for code, word in words)
    return f"case {column} {arms} else {column} end"


def _empty(field: Field) -> tuple[str, ...]:
    """What stands for no date here."""
    return tuple(field.blanks) or NO_DATE


def _typed(field: Field, key: str, salt: int, in_workbook: bool) -> str:
    """A sound value as the office writes it."""
    column = f'"{field.name}"'
    if field.type == "date":
        forms = tuple(f"strftime({column}, {literal(form)})" for form in TYPED_DATES)
        if in_workbook:
            cell = f"'{DATE_CELL}' || ({column} - date '1899-12-30')::varchar"
            forms = (cell, cell, *forms)
        nothing = _one_of(tuple(literal(text) for text in _empty(field)), key, salt)
        return f"coalesce({_one_of(forms, key, salt)}, {nothing})"
    if field.type == "timestamp":
        return f"strftime({column}, '%Y/%-m/%-d %-H:%M:%S')"
    if field.type == "boolean":
        return f"case when {column} then '√' when not {column} then '×' end"
    if field.type.startswith("decimal"):
        grouped = f"format('{{:,.2f}}', {column}::double)"
        return _one_of((grouped, f"{column}::varchar"), key, salt)
    if field.codes:
        word = _words(field, column)
        return _one_of((word, word, f"{word} || ' '"), key, salt)
    return f"{column}::varchar"


def cells(contract: Contract, state: str, in_workbook: bool) -> str:
    """The rows in force, every cell as the office writes it, by physical names, with `_key` in
    front.
    """
    key = f'"{contract.record_key.name}"'
    columns = ", ".join(
        f"{text_value(contract, field, _typed(field, key, salt, in_workbook))} as"
        f' "{field.physical_name}"'
        for salt, field in enumerate(contract.fields)
    )
    return f"select {key} as _key, {columns} from ({state}) where _op = 'U'"


def sheets(county: County, contract: Contract, state: str, day: date) -> Iterator[Sheet]:
    """A sheet for each township that has rows, with its title, header in row 3 and footer."""
    connection = county.connection()
    connection.execute(
        f"create or replace temp table office_cells as {_placed(county, contract, state)}"
    )
    counted = connection.execute("select _town, count(*) from office_cells group by 1").fetchall()
    rows = {str(town): int(count) for town, count in counted}
    header = tuple(_broken(field.physical_name) for field in contract.fields)
    for town, (name, _) in TOWNS.items():
        if town not in rows:
            continue
        layout = Layout(
            f"汉阴县{name}{contract.name}台账（{day:%Y年}{day.month}月）",
            f"填报单位：{name}人民政府      填报时间：{day:%Y}.{day.month}.{day.day}",
            header,
            footer=(("合计", f"{rows[town]}项"), (SIGNED,)),
        )
        listed = ", ".join(f'"{field.physical_name}"' for field in contract.fields)
        select = f"select {listed} from office_cells where _town = '{town}' order by _key"
        yield Sheet(name, select, layout, _dates(contract))


def _dates(contract: Contract) -> frozenset[str]:
    return frozenset(field.physical_name for field in contract.fields if field.type == "date")


def _broken(name: str) -> str:
    """A long heading in two lines, as an office fits it into a narrow column."""
    return f"{name[:-2]}\n{name[-2:]}" if len(name) > 5 and not name.isascii() else name


def _placed(county: County, contract: Contract, state: str) -> str:
    """The cells with the township of the household that each row is about; a stranger's with the
    first.
    """
    truth, register = (
        county.home / folder / f"{records}.parquet"
        for folder, records in (("truth", contract.records), ("base", "households"))
    )
    first = next(iter(TOWNS))
    return f"""
        with cell as ({cells(contract, state, in_workbook=True)}),
        place as (
            select t.record_key, any_value(left(h.area_code, 9)) as town
            from {parquet(truth)} t join {parquet(register)} h on h._key = t.household_id
            group by 1
        )
        select c.*, coalesce(p.town, '{first}') as _town
        from cell c left join place p on p.record_key = c._key
    """


def listing(
    county: County, contract: Contract, state: str, day: date
) -> tuple[list[str], str, list[str]]:
    """A text file: lines above the rows, the rows' SELECT, lines below, all of the header's
    width.
    """
    names = [field.physical_name for field in contract.fields]
    columns = ", ".join(f'"{name}"' for name in names)
    identities = {field.physical_name for field in contract.fields if field.role == "record_key"}
    shown = ", ".join(
        f"""'="' || "{name}" || '"' as "{name}\"""" if name in identities else f'"{name}"'
        for name in names
    )
    select = f"select {shown} from ({cells(contract, state, in_workbook=False)}) order by _key"
    count = (
        county.connection().execute(f"select count(*) from ({state}) where _op = 'U'").fetchone()
    )
    padded = "," * (len(names) - 1)
    above = [
        f"汉阴县{contract.name}花名册（{day:%Y年}{day.month}月）{padded}",
        f"填报单位：汉阴县{contract.department_name}{padded}",
        columns.replace('"', "").replace(", ", ","),
    ]
    below = [f"合计,{count[0] if count else 0}人{padded[1:]}", f"{SIGNED}{padded}"]
    return above, select, below
