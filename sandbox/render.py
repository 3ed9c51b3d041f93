"""A row as a department delivers it: JSON text, cells of text, or typed columns.

Belongs here: SELECTs over a state (`days.state_sql`) that give rows in one of the three forms. Not
here: protocols.
"""

from __future__ import annotations

import json

from expectations.contract import Contract, Field
from sandbox.shapes import SHAPES


def _misfits(records: str, field: str) -> list[tuple[int, str]]:
    return [
        (number, b.value)
        for number, b in enumerate(SHAPES[records].breaks, start=1)
        if b.field == field and b.is_misfit
    ]


def _json_value(contract: Contract, field: Field) -> str:
    column = f'"{field.name}"'
    if field.type == "text":
        value = f"to_json({column})::varchar"
    elif field.type == "date":
        value = f"'\"' || {column}::varchar || '\"'"
    elif field.type == "timestamp":
        value = f"'\"' || strftime({column}, '%Y-%m-%dT%H:%M:%S+08:00') || '\"'"
    else:
        value = f"{column}::varchar"
    value = f"coalesce({value}, 'null')"
    arms = " ".join(
        f"when {number} then to_json({text})::varchar"
        for number, text in _misfits(contract.records, field.name)
    )
    return f"case _broken {arms} else {value} end" if arms else value


def json_rows(contract: Contract, state: str) -> str:
    """One column `row`: the JSON object of each row with a comma behind, in the order of the
    API.
    """
    parts = ["'{\"_op\":\"' || _op || '\"'"]
    for field in contract.fields:
        name = json.dumps(field.physical_name, ensure_ascii=False).replace("'", "''")
        parts.append(f"',{name}:' || {_json_value(contract, field)}")
    return (
        f"select {' || '.join(parts)} || '}},' as row from ({state}) order by updated_at,"
        f' "{contract.record_key.name}"'
    )


def _text_value(contract: Contract, field: Field) -> str:
    column = f'"{field.name}"'
    if field.type == "timestamp":
        value = f"strftime({column}, '%Y-%m-%d %H:%M:%S')"
    elif field.type == "boolean":
        value = (
            f"case when {column} then '是' when not {column} then '否' end"
            if _is_chinese(contract)
            else f"{column}::varchar"
        )
    else:
        value = f"{column}::varchar"
    return text_value(contract, field, value)


def text_value(contract: Contract, field: Field, value: str) -> str:
    """The cell's text: `value`, or the text that does not fit its type where the row is broken
    so.
    """
    arms = " ".join(
        f"when {number} then {text}" for number, text in _misfits(contract.records, field.name)
    )
    return f"case _broken {arms} else {value} end" if arms else value


def _is_chinese(contract: Contract) -> bool:
    return not contract.record_key.physical_name.isascii()


def text_rows(contract: Contract, state: str) -> str:
    """The rows in force, every cell text, by physical names, in order of the record key."""
    columns = ", ".join(
        f'{_text_value(contract, f)} as "{f.physical_name}"' for f in contract.fields
    )
    return (
        f"select {columns} from ({state}) where _op = 'U' order by \"{contract.record_key.name}\""
    )


def typed_rows(contract: Contract, state: str) -> str:
    """The rows with `_op`, by physical names and in the contract's types; a text that does not fit
    is null.
    """
    columns = ", ".join(f'"{f.name}" as "{f.physical_name}"' for f in contract.fields)
    return f'select {columns}, _op from ({state}) order by "{contract.record_key.name}"'
