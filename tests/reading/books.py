"""The same table in every form that an office may send.

Belongs here: writers. Not here: what is right (the tests).
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import struct
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

import olefile
import openpyxl
import xlwt
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

Rows = Sequence[Sequence[Any]]


def xlsx(
    sheets: dict[str, Rows] | Rows,
    merged: dict[str, Sequence[str]] | Sequence[str] = (),
    hidden: Sequence[str] = (),
) -> bytes:
    named = sheets if isinstance(sheets, dict) else {"Sheet1": sheets}
    merges = merged if isinstance(merged, dict) else {next(iter(named)): merged}
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cells in merges.get(name, ()):
            sheet.merge_cells(cells)
        if name in hidden:
            sheet.sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def edited(content: bytes, member: str, edit: Callable[[bytes], bytes]) -> bytes:
    """A zipped workbook with one of its members changed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, edit(old.read(name)) if name == member else old.read(name))
    return target.getvalue()


def xls(
    rows: Rows,
    *,
    is_1904: bool = False,
    errors: Sequence[tuple[int, int]] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = is_1904
    sheet = book.add_sheet("台账")
    days = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for line, row in enumerate(rows):
        for place, cell in enumerate(row):
            if (line, place) in errors:
                sheet.row(line).set_cell_error(place, 0x2A)  # #N/A
            elif isinstance(cell, date | datetime):
                sheet.write(line, place, cell, days)
            elif cell not in ("", None):
                sheet.write(line, place, cell)
    for first, last, left, right in merged:
        sheet.merge(first, last, left, right)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


BOF, EOF, BOUNDSHEET, FILEPASS, INTERFACE, THEME = 0x809, 0x0A, 0x85, 0x2F, 0xE1, 0x896
BLOCK = 1024


def locked_xls(content: bytes, password: str) -> bytes:
    """An XLS under a password as Excel writes it (RC4 CryptoAPI), with the archive in which it
    keeps the theme of its colours."""
    with olefile.OleFileIO(io.BytesIO(content)) as ole:
        records = _records(ole.openstream("Workbook").read())
    salt, verifier = os.urandom(16), os.urandom(16)
    key = hashlib.sha1(salt + password.encode("utf-16-le")).digest()
    sealed = _rc4(key, 0, verifier + hashlib.sha1(verifier).digest())
    name = "Microsoft Enhanced Cryptographic Provider v1.0\0".encode("utf-16-le")
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + name
    lock = struct.pack("<3HII", 1, 2, 2, 4, len(header)) + header
    lock += struct.pack("<I", 16) + salt + sealed[:16] + struct.pack("<I", 20) + sealed[16:]
    theme = bytes(16) + archive({"theme/theme/themeManager.xml": b"<x/>"})
    # what fills the last sector is read as records of 4 bytes
    theme += bytes(-sum(len(body) for _, body in [*records, (0, lock), (0, theme)]) % 4)
    end = next(place for place, (kind, _) in enumerate(records) if kind == EOF)
    records = [records[0], (FILEPASS, lock), *records[1:end], (THEME, theme), *records[end:]]
    moved = 8 + len(lock) + len(theme)
    stream, clear = bytearray(), bytearray()
    for kind, body in records:
        if kind == BOUNDSHEET:
            body = struct.pack("<I", struct.unpack_from("<I", body)[0] + moved) + body[4:]
        plain = 4 if kind == BOUNDSHEET else len(body) if kind in (BOF, FILEPASS, INTERFACE) else 0
        stream += struct.pack("<HH", kind, len(body)) + body
        clear += b"\1" * (4 + plain) + bytes(len(body) - plain)
    blocks = (bytes(stream[at : at + BLOCK]) for at in range(0, len(stream), BLOCK))
    cipher = b"".join(_rc4(key, number, block) for number, block in enumerate(blocks))
    pairs = zip(stream, cipher, clear, strict=True)
    locked = bytes(old if is_clear else new for old, new, is_clear in pairs)
    with tempfile.TemporaryFile() as target:
        xlwt.CompoundDoc.XlsDoc().save(target, locked)
        target.seek(0)
        return target.read()


def _records(stream: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind:
            found.append((kind, stream[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def _rc4(key: bytes, block: int, text: bytes) -> bytes:
    own = hashlib.sha1(key + struct.pack("<I", block)).digest()[:16]
    return Cipher(ARC4(own), None).encryptor().update(text)


_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
    for prefix in ("office", "table", "text")
)


ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: Rows, sheet: str = "台账") -> bytes:
    lines = "".join(
        f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES}'
        ' office:version="1.2"><office:body>'
        "<office:spreadsheet><table:table"
        f' table:name="{sheet}">{lines}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest'
        ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry'
        f' manifest:full-path="/" manifest:media-type="{ODS}"/></manifest:manifest>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return target.getvalue()


def _ods_cell(cell: Any) -> str:
    if cell in ("", None):
        return "<table:table-cell/>"
    if isinstance(cell, int | float):
        return (
            '<table:table-cell office:value-type="float"'
            f' office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
        )
    if isinstance(cell, date):
        return (
            '<table:table-cell office:value-type="date"'
            f' office:date-value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
        )
    return (
        "<table:table-cell"
        f' office:value-type="string"><text:p>{escape(str(cell))}</text:p></table:table-cell>'
    )


def html(rows: Rows, encoding: str = "gb18030", charset: str = "gb2312") -> bytes:
    lines = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>\n" for row in rows)
    head = (
        '<html><head><meta http-equiv="Content-Type" content="text/html;'
        f' charset={charset}"><style>td{{}}</style></head>'
    )
    return f'{head}<body><table border="1">\n{lines}</table></body></html>'.encode(encoding)


def _html_cell(cell: Any) -> str:
    text = escape(str(cell)).replace("\n", "<br>") if cell not in ("", None) else "&nbsp;"
    return f"<td style='mso-number-format:\"\\@\"'>{text}</td>"


def text(rows: Rows, encoding: str = "gb18030", delimiter: str = ",") -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter).writerows(rows)
    return target.getvalue().encode(encoding)


def archive(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return target.getvalue()


def without_values(content: bytes, member: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook whose formulas were never computed, as a program writes them."""
    return edited(
        content, member, lambda xml: re.sub(rb"(</f>)<v ?/>|(</f>)<v></v>", rb"\1\2", xml)
    )
