"""What a contract may say more: each property with its default, and nonsense refused with what to
write.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.contract import Contract, ContractError, load_contracts, read_contract

SAYS: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "civil_affairs.subsidies",
    "name": "两项补贴", "version": "1.0.0",
    "status": "active", "domain": "civil_affairs",
    "description": {"purpose": "subsidies as an office writes them"},
}  # fmt: skip


def prop(
    name: str, kind: str = "text", physical: str | None = None, **custom: Any
) -> dict[str, Any]:
    logical = {
        "text": "string",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamp",
        "integer": "integer",
    }.get(kind, "number")
    said: dict[str, Any] = {
        "name": name,
        "logicalType": logical,
        "physicalType": kind,
        "classification": custom.pop("classification", "internal"),
    }
    if physical != "":
        said["physicalName"] = physical or name
    if (place := custom.pop("key", None)) is not None:
        said |= {"primaryKey": True, "primaryKeyPosition": place, "required": True}
    custom = {key.rstrip("_"): value for key, value in custom.items()}
    if custom:
        said["customProperties"] = [
            {"property": key, "value": value} for key, value in custom.items()
        ]
    return said


def entries(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"property": key, "value": value} for key, value in values.items()]


OFFICE = [
    prop("id_number", physical="身份证号", role="id_number", classification="identity", key=1),
    prop("kind", physical="补贴类型", key=2,
        codes=[{"code": "living", "meaning": "生活补贴", "written": ["生活", "困难补贴"]},
            {"code": "nursing"}]),
    prop("month", physical="所属月份", role="event_time", key=3, written=["YYYY年M月"]),
    prop("amount", "decimal(16,2)", "金额", unit="yuan", written="万元", zero=["-"],
        blanks=["未定"]),
    prop("until", "date", "有效期至", written=["YYYY.M.D", "excel"], blanks=["长期", 99991231]),
    prop("alive", "boolean", "健在", blank=False),
    prop("cause", physical="原因", codes=[{"code": "illness"}], complete=False),
    prop("scheme", physical="", constant="dibao"),
    prop("town", physical="", from_="sheet", codes=[{"code": "610921101", "written": "石门镇"}]),
]  # fmt: skip
SERVER = {
    "form": "file", "format": "xlsx", "sheets": ["*镇"], "merged": "fill",
    "files": "名册{YYYY}年{M}月*", "parts": 3, "checksum": "optional",
    "notes": ["说明"], "password": "YIHU_FILE_PASSWORD_CIVIL_AFFAIRS",
}  # fmt: skip
WHOLE = {
    "departmentName": "民政", "delivery": "snapshot", "subject": "person", "published": "pseudonym",
    "maxWithdrawnShare": 0.1,
    "maxBadShare": 0.2, "maxVanished": 0.4,
}  # fmt: skip


def contract(
    folder: Path,
    fields: list[dict[str, Any]] = OFFICE,
    server: dict[str, Any] = SERVER,
    **custom: Any,
) -> Contract:
    path = folder / "civil_affairs" / "subsidies.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = SAYS | {
        "servers": [{"server": "default", "type": "custom", "customProperties": entries(server)}],
        "schema": [{"name": "subsidies", "physicalName": "civil_affairs__subsidies",
            "logicalType": "object", "physicalType": "table", "properties": fields}],
        "slaProperties": [{"property": "staleAfter", "value": 45, "unit": "d"}],
        "customProperties": entries(WHOLE | custom),
    }  # fmt: skip
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
    return read_contract(path)


def test_every_property_is_read(tmp_path: Path) -> None:
    office = contract(tmp_path)
    assert [f.name for f in office.fields][-2:] == ["record_key", "updated_at"]
    assert [f.name for f in office.key_fields] == ["id_number", "kind", "month"]
    assert [f.name for f in office.delivered] == [
        "id_number",
        "kind",
        "month",
        "amount",
        "until",
        "alive",
        "cause",
    ]
    assert (office.record_key.name, office.record_key.derived, office.record_key.is_identity) == (
        "record_key",
        "key",
        True,
    )
    assert (office.is_snapshot, office.is_full, office.subject, office.is_pseudonymous) == (
        True,
        True,
        "person",
        True,
    )
    assert (office.max_withdrawn_share, office.max_bad_share, office.max_vanished) == (
        0.1,
        0.2,
        0.4,
    )
    kind, amount, until = (office.field(name) for name in ("kind", "amount", "until"))
    assert kind.codes[0].written == ("生活", "困难补贴")
    assert (amount.written, amount.zero, amount.blanks) == (("万元",), ("-",), ("未定",))
    assert (until.written, until.blanks) == (("YYYY.M.D", "excel"), ("长期", "99991231"))
    assert (office.field("alive").blank, office.field("cause").codes_complete) == ("false", False)
    assert (office.field("scheme").constant, office.field("town").source) == ("dibao", "sheet")


def test_contracts_of_today_mean_the_same() -> None:
    for today in load_contracts():
        if today.server["form"] != "file":
            assert [f.name for f in today.delivered] == [f.name for f in today.fields]
            assert not any(
                f.written or f.blanks or f.zero or f.blank or f.constant or f.source or f.derived
                for f in today.fields
            )
        assert today.key_fields == (today.record_key,)
        assert (today.max_withdrawn_share, today.max_bad_share, today.max_vanished) == (
            0.2,
            0.05,
            0.5,
        )
        assert today.subject == (
            "household" if today.department in ("rural_revitalisation", "monitoring") else "person"
        )


def test_a_key_that_holds_a_period_is_never_missed(tmp_path: Path) -> None:
    """Last month's payments are not in this month's list, and are not withdrawn for it."""
    path = contract(tmp_path).path
    path.write_text(path.read_text().replace("- property: maxWithdrawnShare\n  value: 0.1\n", ""))
    assert read_contract(path).max_withdrawn_share is None


@pytest.mark.slow
def test_it_is_clean_under_lint(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("datacontract")), "lint", str(contract(tmp_path).path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "warn" not in (done.stdout + done.stderr).lower()


def changed(name: str, **custom: Any) -> list[dict[str, Any]]:
    """The office's fields, one of them with other properties."""
    return [
        (
            field
            | {
                "customProperties": entries(
                    {**_of(field), **{k.rstrip("_"): v for k, v in custom.items()}}
                )
            }
            if field["name"] == name
            else field
        )
        for field in OFFICE
    ]


def _of(field: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in field.get("customProperties", [])}


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"fields": changed("until", written=["DD/MM/YYYY", "MM/DD/YYYY"])},
        "read the same text as two days"),
    ({"fields": changed("until", written=["soon"])}, "is not known"),
    ({"fields": changed("amount", written=["万元", "元"])}, "two values"),
    ({"fields": changed("amount", written=["YYYY"])}, "not known for a number"),
    ({"fields": changed("alive", written=["是"])}, "written is for dates and numbers"),
    ({"fields": changed("until", zero=["-"])}, "zero is for numbers"),
    ({"fields": changed("amount", blanks=["-"])}, "empty .blanks. and 0"),
    ({"fields": changed("until", blanks=[True])}, "quotation marks"),
    ({"fields": changed("alive", blank="maybe")}, "no boolean"),
    ({"fields": changed("amount", blank="-")}, "no number"),
    ({"fields": changed("amount", complete="no")}, "complete is for a text field with codes"),
    ({"fields": changed("cause", complete="perhaps")}, "write yes or no"),
    ({"fields": changed("kind",
        codes=[{"code": "a", "written": ["x"]}, {"code": "b", "written": ["x"]}])},
        "one word is one code"),
    ({"fields": changed("kind", codes=[{"meaning": "x"}])}, "needs a code"),
    ({"fields": changed("town", constant="x")}, "exclude each other"),
    ({"fields": changed("town", from_="page")}, "from is 'page'"),
    ({"fields": [*OFFICE, prop("bad", "text", "坏", constant="x")]},
        "has a physicalName and constant"),
    ({"fields": [*OFFICE, prop("kind", physical="其他")]}, "kind is there twice"),
    ({"fields": [*OFFICE, prop("other", physical="金额")]}, "金额 is there twice"),
    ({"fields": [*OFFICE, prop("number", role="record_key")]}, "take the role off it"),
    ({"fields": [*OFFICE, prop("at", "timestamp", role="updated_at")]}, "write delivery: full"),
    ({"fields": OFFICE[3:]}, "no field has the role record_key"),
    ({"delivery": "full"}, "write delivery: snapshot where there is none"),
    ({"delivery": "sometimes"}, "write full or incremental or snapshot"),
    ({"subject": "village"}, "write household or person or area"),
    ({"subject": "area"}, "needs a field with the role area_code"),
    ({"published": "number"}, "published as a pseudonym"),
    ({"maxBadShare": 5}, "a share from 0 to 1"),
    ({"maxVanished": "half"}, "a share from 0 to 1"),
    ({"server": SERVER | {"merged": "maybe"}}, "write fill or refuse"),
    ({"server": SERVER | {"checksum": "never"}}, "required or optional"),
    ({"server": SERVER | {"parts": 0}}, "how many files or sheets"),
    ({"server": SERVER | {"password": "sesame"}}, "never the word itself"),
    ({"server": {"form": "sql"}}, "is for files"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), NONSENSE, ids=[said for _, said in NONSENSE])
def test_nonsense_is_refused_with_what_to_write(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ContractError, match=said) as refused:
        contract(tmp_path, **change)
    assert "subsidies.odcs.yaml" in str(refused.value)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("blanks: [1900-01-00]", "'1900-01-00' in quotation marks"),
        ("zero: [-, /", r"office.yaml, line 2: no YAML"),
        ("a: *x", "no YAML"),
    ],
)
def test_what_is_no_yaml_is_refused_with_what_to_write(
    tmp_path: Path, line: str, said: str
) -> None:
    path = tmp_path / "office.yaml"
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(ContractError, match=said):
        read_contract(path)
