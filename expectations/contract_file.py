"""Reading a contract's file (ODCS 3.1):
every property that yihu knows, with its default, and what is wrong with it.

Belongs here: from YAML to `Contract`, and refusing nonsense. Not here: what the fields mean for
reading (`casting`), whether models still work with a contract's codes (`warehouse.compared`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from expectations.contract import Code, Contract, ContractError, Field
from expectations.errors import ConfigurationError
from expectations.file_names import PatternError, pattern
from expectations.writing import check_date_forms, check_number_forms

KEY, UPDATED_AT = "record_key", "updated_at"
"""Names of the fields that yihu makes: the key of several fields, the update time of a snapshot."""

_SHARES = ("maxBadShare", "maxWithdrawnShare", "maxVanished")
_YES_NO = {"yes": True, "no": False, "true": True, "false": False}


def parsed(path: Path) -> Contract:
    """The contract in `path`.

    Raises `ContractError` with the file's name, what is wrong and what to write.
    """
    text = path.read_text(encoding="utf-8")
    raw = _yaml(path, text)
    try:
        odcs = OpenDataContractStandard(**raw)
    except Exception as error:
        raise ContractError(
            f"{path}: not an ODCS 3.1 contract ({type(error).__name__})",
            "run datacontract lint on it",
        ) from error
    if not odcs.schema_ or not odcs.schema_[0].properties:
        raise ContractError(f"{path}: schema is empty", "describe at least one field")
    try:
        return _contract(path, odcs, raw)
    except ContractError:
        raise
    except ConfigurationError as error:
        raise ContractError(f"{path.name}: {error.message}", error.next_step) from None


class _WrongError(ConfigurationError):
    """Something in the file that means nothing; without the file's name."""


def _yaml(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        said = (
            "no YAML; mind the indentation, and put what begins with a sign, such as '-' or"
            " '{part}*', in quotation marks"
        )
        raise ContractError(f"{path}{line}: {said}", "mend that line") from error
    except (yaml.YAMLError, ValueError) as error:
        # YAML makes a day of 1900-01-00, and finds that there is none
        raise ContractError(
            f"{path}: {error}",
            "put words such as '1900-01-00' in quotation marks",
        ) from error


def _contract(path: Path, odcs: OpenDataContractStandard, raw: Mapping[str, Any]) -> Contract:
    assert odcs.schema_ is not None
    custom = _custom(odcs.customProperties)
    sla = {entry.property: entry.value for entry in odcs.slaProperties or []}
    servers = raw.get("servers") or [{}]
    contract = Contract(
        department=str(odcs.domain),
        department_name=str(custom.get("departmentName", odcs.domain)),
        records=str(odcs.schema_[0].name),
        name=str(odcs.name),
        version=str(odcs.version),
        status=str(odcs.status or "active"),
        description=(odcs.description.purpose if odcs.description else "") or "",
        fields=tuple(_field(p) for p in odcs.schema_[0].properties or ()),
        quality=tuple(raw["schema"][0].get("quality") or ()),
        delivery=_one_of(custom, "delivery", ("full", "incremental", "snapshot"), "incremental"),
        cadence=str(custom.get("cadence", "daily")),
        stale_after_days=int(str(sla.get("staleAfter", 7))),
        overlap_days=int(custom.get("overlapDays", 1)),
        server={
            entry["property"]: entry["value"] for entry in servers[0].get("customProperties", [])
        },
        properties=custom,
        path=path,
    )
    _check_fields(contract)
    contract = _with_derived(contract)
    _check_properties(contract)
    _check_server(contract)
    return contract


def _custom(entries: list[Any] | None) -> dict[str, Any]:
    return {entry.property: entry.value for entry in entries or []}


def _one_of(
    properties: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: Any
) -> Any:
    value = properties.get(name, default)
    if value not in (*allowed, default):
        raise _WrongError(f"{name} is {value!r}", f"write {' or '.join(allowed)}")
    return value


def _field(prop: SchemaProperty) -> Field:
    custom = _custom(prop.customProperties)
    name = str(prop.name)
    codes = tuple(_code(name, entry) for entry in custom.get("codes") or ())
    field = Field(
        name=name,
        physical_name=str(prop.physicalName or name),
        type=str(prop.physicalType),
        required=bool(prop.required),
        role=custom.get("role"),
        classification=str(prop.classification or "internal"),
        unit=custom.get("unit"),
        meaning=prop.description or "",
        codes=codes,
        written=_words(name, "written", custom.get("written")),
        blanks=_words(name, "blanks", custom.get("blanks")),
        zero=_words(name, "zero", custom.get("zero")),
        blank=_value(name, "blank", custom.get("blank")),
        constant=_value(name, "constant", custom.get("constant")),
        source=_one_of(custom, "from", ("sheet", "file"), None),
        codes_complete=_yes_no(name, custom.get("complete", True)),
        is_staff_number=_one_of(custom, "holds", ("staff_number",), None) is not None,
        key_position=int(prop.primaryKeyPosition or 1) if prop.primaryKey else None,
    )
    if prop.physicalName is not None and not field.is_delivered:
        said = "constant" if field.constant is not None else "from"
        raise _WrongError(
            f"{name} has a physicalName and {said}: the value stands in a column or it does not",
            "take one of them out",
        )
    return field


def _code(field: str, entry: Any) -> Code:
    if not isinstance(entry, Mapping) or "code" not in entry:
        raise _WrongError(f"{field}: an entry of codes needs a code", "write - code: '1'")
    return Code(
        str(entry["code"]),
        str(entry.get("meaning") or ""),
        _words(field, "written", entry.get("written")),
    )


def _words(field: str, name: str, value: Any) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one."""
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if isinstance(entry, bool | dict | list) or entry is None or not str(entry).strip():
            raise _WrongError(
                f"{field}: {name} is a list of words, and {entry!r} is none",
                "put words such as 'no' in quotation marks",
            )
    return tuple(str(entry).strip() for entry in entries)


def _value(field: str, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict | list) or not str(value).strip():
        raise _WrongError(
            f"{field}: {name} is one value, and {value!r} is none",
            "write one word or number",
        )
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _yes_no(field: str, value: Any) -> bool:
    said = _YES_NO.get(str(value).lower())
    if said is None:
        raise _WrongError(f"{field}: complete is {value!r}", "write yes or no")
    return said


def _check_fields(contract: Contract) -> None:
    for kind in ("name", "physical_name"):
        names = [
            getattr(field, kind)
            for field in (contract.fields if kind == "name" else contract.delivered)
        ]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _WrongError(
                f"{', '.join(twice)} is there twice",
                f"give each field a {kind} of its own",
            )
    for field in contract.fields:
        _check_writing(field)
        _check_codes(field)
        _check_instead_of_a_column(field)


def _is_number(field: Field) -> bool:
    return field.type == "integer" or field.type.startswith("decimal")


def _check_writing(field: Field) -> None:
    if field.written:
        if _is_number(field):
            check_number_forms(field.written, field.unit)
        elif field.type in ("date", "timestamp", "text") and not field.codes:
            check_date_forms(field.written)
        else:
            raise _WrongError(
                f"{field.name}: written is for dates and numbers",
                "words for a code stand in its entry of codes",
            )
    if field.zero and not _is_number(field):
        raise _WrongError(
            f"{field.name}: zero is for numbers, and the field is {field.type}",
            "take it out",
        )
    both = sorted(set(field.zero) & set(field.blanks))
    if both:
        raise _WrongError(
            f"{field.name}: {', '.join(both)} is said to be empty (blanks) and 0 (zero)",
            "take it out of one of them",
        )


def _check_codes(field: Field) -> None:
    if not field.codes_complete and (not field.codes or field.type != "text"):
        raise _WrongError(
            f"{field.name}: complete is for a text field with codes",
            "take it out, or list its codes",
        )
    meant: dict[str, str] = {}
    for code in field.codes:
        for word in (code.code, *code.written):
            if meant.setdefault(word, code.code) != code.code:
                raise _WrongError(
                    f"{field.name}: {word!r} is written for {meant[word]} and for {code.code}",
                    "one word is one code",
                )
            if word in field.blanks:
                raise _WrongError(
                    f"{field.name}: {word!r} is a code's word and stands in blanks",
                    "take it out of one of them",
                )


def _check_instead_of_a_column(field: Field) -> None:
    if field.constant is not None and field.source is not None:
        raise _WrongError(
            f"{field.name}: constant and from exclude each other",
            "take one of them out",
        )
    given = [value for value in (field.constant, field.blank) if value is not None]
    words = {word for code in field.codes for word in (code.code, code.meaning, *code.written)}
    for value in given:
        if field.codes and field.codes_complete and value not in words:
            raise _WrongError(
                f"{field.name}: {value!r} is none of its codes and words",
                "write one of them",
            )
        if field.type == "boolean" and value.lower() not in ("true", "false"):
            raise _WrongError(f"{field.name}: {value!r} is no boolean", "write true or false")
        if _is_number(field) and not re.fullmatch(r"-?[0-9]+([.][0-9]+)?", value):
            raise _WrongError(f"{field.name}: {value!r} is no number", "write one")
    if not field.is_delivered and (field.blanks or field.blank is not None or field.zero):
        raise _WrongError(
            f"{field.name}: blanks, blank and zero are for what stands in a column, and there is"
            " none",
            "take them out",
        )


def _with_derived(contract: Contract) -> Contract:
    """The contract with the fields that yihu makes:
    one key of a composite one, the update time of a snapshot.
    """
    parts = sorted(
        (f for f in contract.fields if f.key_position is not None),
        key=lambda f: f.key_position or 0,
    )
    keyed = contract.find_role("record_key")
    if keyed is None and not parts:
        raise _WrongError(
            "no field has the role record_key",
            "add it to customProperties, or primaryKey: true to the fields that make the key",
        )
    if keyed is not None and len(parts) > 1:
        raise _WrongError(
            f"several fields are primaryKey and {keyed.name} has the role record_key",
            "take the role off it",
        )
    positions = [part.key_position for part in parts]
    if len(set(positions)) < len(positions):
        raise _WrongError(
            "two fields of the key have one primaryKeyPosition",
            "number them 1, 2, …",
        )
    fields = list(contract.fields)
    if keyed is None:
        fields.append(_derived_key(parts))
    updated = contract.find_role("updated_at")
    if contract.is_snapshot and updated is not None:
        raise _WrongError(
            f"delivery snapshot is for deliveries without an update time, and {updated.name}"
            " is one",
            "write delivery: full",
        )
    if contract.is_snapshot:
        fields.append(replace(_DERIVED_TIME))
    elif updated is None:
        raise _WrongError(
            "no field has the role updated_at",
            "add it to customProperties, or write delivery: snapshot where there is none",
        )
    names = [field.name for field in fields]
    for name in (KEY, UPDATED_AT):
        if names.count(name) > 1:
            raise _WrongError(
                f"the name {name} is kept for the field that yihu makes",
                "give the delivered one another name",
            )
    return replace(contract, fields=tuple(fields))


def _derived_key(parts: list[Field]) -> Field:
    is_identity = any(part.is_identity for part in parts)
    return Field(
        KEY, KEY, "text", True, "record_key", "identity" if is_identity else "internal", None,
        "the record's key, of " + ", ".join(part.name for part in parts), (), derived="key",
    )  # fmt: skip


_DERIVED_TIME = Field(
    UPDATED_AT, UPDATED_AT, "timestamp", True, "updated_at", "internal", None,
    "the day of the extract in which the row became as it is", (),
    derived="updated_at",
)  # fmt: skip


def _check_properties(contract: Contract) -> None:
    custom = contract.properties
    _one_of(custom, "subject", ("household", "person", "area"), None)
    _one_of(custom, "published", ("pseudonym", "number"), None)
    if custom.get("subject") == "area" and contract.find_role("area_code") is None:
        raise _WrongError(
            "subject area needs a field with the role area_code:",
            "the record is tied to its village by it",
        )
    if custom.get("published") == "number" and contract.record_key.is_identity:
        raise _WrongError(
            "published number is not for a key that is an identity",
            "it is published as a pseudonym",
        )
    for name in _SHARES:
        value = custom.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise _WrongError(f"{name} is {value!r}", "write a share from 0 to 1")


_SERVER_CHOICES: dict[str, tuple[str, ...]] = {
    "form": ("api", "file", "sql"), "merged": ("fill", "refuse"),
    "checksum": ("required", "optional"),
}  # fmt: skip


def _check_file_names(stated: Any, parts: Any) -> None:
    for text in [stated] if isinstance(stated, str) else stated or ():
        try:
            pattern(text)
        except PatternError as error:
            raise _WrongError(error.message, error.next_step) from None
        if "{part}" in text.lower() and parts is None:
            raise _WrongError(
                f"files: {text!r} has {{part}}, and parts does not say how many make one delivery,"
                " or which",
                "add parts",
            )


def _check_server(contract: Contract) -> None:
    server = contract.server
    for name, allowed in _SERVER_CHOICES.items():
        if name in server:
            _one_of(server, name, allowed, None)
    for name in ("sheets", "files", "notes"):
        _words(name, name, server.get(name))
    _check_file_names(server.get("files"), server.get("parts"))
    parts = server.get("parts")
    is_number = isinstance(parts, int) and not isinstance(parts, bool) and parts > 0
    if (
        parts is not None
        and not is_number
        and not _words("parts", "parts", parts if isinstance(parts, list) else None)
    ):
        raise _WrongError(
            f"parts is {parts!r}",
            "write how many files or sheets make one delivery, or their list",
        )
    password = server.get("password")
    if password is not None and not re.fullmatch(r"YIHU_FILE_PASSWORD_[A-Z0-9_]+", str(password)):
        # Whatever stands there may be the word itself.
        raise _WrongError(
            "password names the setting that holds it,",
            "YIHU_FILE_PASSWORD_<DEPARTMENT>, never the word itself",
        )
    sources = {field.source for field in contract.fields if field.source}
    if sources and server.get("form") != "file":
        raise _WrongError(
            f"from: {', '.join(sorted(sources))} is for files, and the form is"
            f" {server.get('form')}",
            "take it out, or write form: file",
        )
