"""What a file is, by its content and not by its name, and the file opened.

Belongs here: forms, archives and their members. Not here: how each form is read.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from resources.reader import biff, ods
from resources.reader.delimited import Delimited
from resources.reader.html_table import HtmlTable
from resources.reader.table import Opened, Wanted
from resources.reader.unreadable import Unreadable
from resources.reader.workbook import Workbook, decrypted

TABLES = (".csv", ".xlsx", ".xls", ".et", ".xlsb", ".ods", ".xlsm", ".htm", ".html")
HEAD = 1 << 16
AGAIN = "have the department send it anew"
AS_WORKBOOK = "have the department save it as an XLSX workbook or a CSV"
DOCUMENT = "the file is a document of a word processor"
AS_OPEN_WORKBOOK = "have the department send it without a password, or as an XLSX workbook"

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRANGE = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"MIME-Version:": "a web archive (MHT)",
    b"{\\rtf": "a text of a word processor (RTF)",
    b"ID;P": "a SYLK table",
    b"\x09\x00": "a workbook of before 1995",
    b"\x09\x02": "a workbook of before 1995",
    b"\x09\x04": "a workbook of before 1995",
    b"\x09\x08": "a workbook of before 1995",
}


def open_file(wanted: Wanted) -> Iterator[tuple[str | None, Opened]]:
    """The tables of a file: itself (None), or the members of an archive by their names,
    in the order of the names.
    """
    path = Path(wanted.path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.startswith(b"PK"):
        yield None, _no_archive(wanted, head)
        return
    with _archive(path) as archive:
        form = _zipped_form(archive)
        _bound(archive, wanted.unpacked, "the archive" if form is None else "the workbook")
        if form == "ods" and ods.is_encrypted(archive):
            raise Unreadable("encrypted_file", "the workbook is encrypted", AS_OPEN_WORKBOOK)
        if form is not None:
            yield None, Workbook(path, form, wanted)
            return
        yield from _members(archive, wanted)


def _no_archive(wanted: Wanted, head: bytes) -> Opened:
    if head.startswith(_OLE):
        return _ole(wanted)
    strange = next((name for begin, name in _STRANGE.items() if head.startswith(begin)), None)
    if strange is not None:
        raise Unreadable("unknown_form", f"the file is {strange}", AS_WORKBOOK)
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\xfe\xff \t\r\n").lower()
    if text.startswith(b"<"):
        if b"urn:schemas-microsoft-com:office:spreadsheet" in text and b"<html" not in text:
            raise Unreadable("unknown_form", "the file is an XML spreadsheet of 2003", AS_WORKBOOK)
        if b"urn:oasis:names:tc:opendocument" in text and b"<html" not in text:
            raise Unreadable("unknown_form", "the file is a flat OpenDocument (FODS)", AS_WORKBOOK)
        return HtmlTable(wanted)
    return Delimited(wanted)


def _ole(wanted: Wanted) -> Opened:
    """An XLS or ET workbook, or an encrypted one of either kind."""
    path = Path(wanted.path)
    try:
        if biff.is_document(path):
            raise Unreadable("unknown_form", DOCUMENT, AS_WORKBOOK)
        is_encrypted = biff.is_encrypted(path)
    except Unreadable:
        raise
    except Exception:  # whatever olefile makes of bytes that are damaged
        raise Unreadable("damaged_file", "the workbook is damaged", AGAIN) from None
    if not is_encrypted:
        return Workbook(path, "xls", wanted)
    plain = Path(wanted.work) / "decrypted"
    decrypted(path, wanted.password, plain)
    # by its head: an XLS holds an archive, too, the theme of its colours
    with plain.open("rb") as file:
        is_archive = file.read(2) == b"PK"
    if not is_archive:
        return Workbook(plain, "xls", wanted)
    with _archive(plain) as archive:
        _bound(archive, wanted.unpacked, "the workbook")
        return Workbook(plain, _zipped_form(archive) or "xlsx", wanted)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        if path.suffix.lower() == ".zip":
            said = "the archive is damaged or encrypted"
            raise Unreadable(
                "zip", said, "have the department pack it again, without a password"
            ) from None
        raise Unreadable("damaged_file", "the workbook is damaged", AGAIN) from None


def _zipped_form(archive: zipfile.ZipFile) -> str | None:
    names = set(archive.namelist())
    if "word/document.xml" in names:
        raise Unreadable("unknown_form", DOCUMENT, AS_WORKBOOK)
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    return None


def _bound(archive: zipfile.ZipFile, unpacked: int, what: str) -> None:
    if sum(member.file_size for member in archive.infolist()) > unpacked:
        said = f"{what} unpacks to more than {unpacked >> 30} GiB"
        raise Unreadable("too_large", said, "have the department split it")


def _members(archive: zipfile.ZipFile, wanted: Wanted) -> Iterator[tuple[str | None, Opened]]:
    members = sorted(
        (m for m in archive.infolist() if _is_table(m.filename)), key=lambda m: m.filename
    )
    if not members or (len(members) > 1 and not wanted.members):
        said = f"the archive holds {len(members)} tables instead of one"
        raise Unreadable(
            "zip", said, "have the department pack one, or name `parts` in the contract"
        )
    names = _told_apart([PurePosixPath(_real_name(member)) for member in members])
    for place, (member, name) in enumerate(zip(members, names, strict=True)):
        target = Path(wanted.work) / f"member-{place}{PurePosixPath(name).suffix.lower()}"
        try:
            secret = wanted.password.encode() if wanted.password is not None else None
            with archive.open(member, pwd=secret) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
            EOFError,
            OSError,
            ValueError,
        ):
            said = "the archive is damaged or encrypted"
            raise Unreadable(
                "zip", said, "have the department pack it again, without a password"
            ) from None
        try:
            with target.open("rb") as file:
                is_archive = _is_plain_archive(target, file.read(4))
            if is_archive:
                raise Unreadable(
                    "zip",
                    "the archive holds an archive",
                    "have the department pack the table itself",
                )
            inner = replace(wanted, path=str(target))
            for _, opened in open_file(inner):
                yield (name if len(members) > 1 else None), opened
        finally:
            target.unlink(missing_ok=True)


def _told_apart(paths: list[PurePosixPath]) -> list[str]:
    """The members' names; of several of one name those of their folders: a town each."""
    names = [path.name for path in paths]
    if len(set(names)) == len(names):
        return names
    folders = [f"{path.parent.name}{path.suffix}" for path in paths]
    if len(set(folders)) == len(folders):
        return folders
    return ["-".join(path.parts) for path in paths]


def _is_plain_archive(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK"):
        return False
    with _archive(path) as archive:
        return _zipped_form(archive) is None


def _is_table(name: str) -> bool:
    return (
        name.lower().endswith(TABLES)
        and "__MACOSX" not in name
        and not PurePosixPath(name).name.startswith(("~$", "."))
    )


def _real_name(member: zipfile.ZipInfo) -> str:
    """The member's name: Windows writes it in GBK and does not say so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename
