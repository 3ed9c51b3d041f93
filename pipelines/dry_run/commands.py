"""`make try`, `make draft-contract`, `make contract-diff`:
their command line, and what they do with it.

Belongs here: finding contracts, printing, exit statuses. Not here: trials (`dry_run`), drafts
(`expectations.drafting`).
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from expectations.contract import CONTRACTS, Contract, load_contracts, read_contract
from expectations.drafting.draft import Sample, draft_contract, guessed
from expectations.errors import FAILED, OK
from expectations.questions import standing_questions
from pipelines.command_line.typed import UsageError
from pipelines.dry_run.difference import difference
from pipelines.dry_run.effects import effects
from pipelines.dry_run.export import write_rows
from pipelines.dry_run.input_files import files_of, read_input_files
from pipelines.dry_run.report import effects_report, report
from pipelines.dry_run.run import dry_run, scratch
from pipelines.dry_run.sample import open_sample
from resources.departments.errors import Fault
from resources.settings import Settings


class TryingError(UsageError):
    """The command was called with something that does not fit; says what to write."""


def every_contract() -> tuple[Contract, ...]:
    """The contracts in use and the drafts that ship."""
    active = load_contracts()
    drafts = [
        contract
        for contract in load_contracts(status="draft")
        if contract.table not in {c.table for c in active}
    ]
    return (*active, *drafts)


def contract_of(records: str | None, path: str | None) -> Contract:
    """The contract that CONTRACT or RECORDS names."""
    if path:
        if not Path(path).is_file():
            raise TryingError(f"CONTRACT is {path!r}: no such file", "name one that is there")
        return read_contract(Path(path))
    if not records:
        raise TryingError(
            "name what the file holds:",
            "RECORDS=certificates, or CONTRACT=path/to/contract.odcs.yaml",
        )
    found = [
        c
        for c in every_contract()
        if records in (c.records, c.table, f"{c.department}.{c.records}")
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted(contract.records for contract in every_contract()))
    raise TryingError(f"RECORDS is {records!r}:", f"use one of {known}")


def try_file(settings: Settings, arguments: argparse.Namespace) -> int:
    """Reads a file as a run would and says what would come of it; keeps nothing.
    Exit 1 where a run would reject it.
    """
    contract = contract_of(arguments.records, arguments.contract)
    handed = read_input_files(contract, files_of(arguments.file), settings)
    with dry_run(settings, contract, handed) as made:
        print("\n".join(report(made)))
        if made.is_merged:
            print("\n".join(effects_report(made, effects(made, settings))))
            if arguments.out:
                for path in write_rows(made, Path(arguments.out)):
                    print(f"written: {path}")
        return FAILED if made.reasons or not made.is_merged else OK


def draft(settings: Settings, arguments: argparse.Namespace) -> int:
    """Drafts a contract from a sample file, with a question in it wherever the sample
    does not say enough.
    """
    with scratch(settings) as work:
        try:
            sample = open_sample(files_of(arguments.file), settings, work)
        except Fault as fault:
            raise TryingError(fault.message, fault.next_step) from None
    department = arguments.department
    asked_for = arguments.records.removeprefix(f"{department}.")
    base = _base(sample, department, asked_for)
    records = base.records if base else asked_for
    made = draft_contract(sample, department, records, base)
    path = Path(arguments.out or f"{records}.odcs.yaml")
    if path.exists() and CONTRACTS in path.resolve().parents and not standing_questions(path):
        raise TryingError(
            f"OUT is {str(path)!r}, a contract in use:",
            "draft into another file, and compare them",
        )
    path.write_text(made.text, encoding="utf-8")
    known = f"as {base.department}.{base.records}" if base else "as a record type that is new here"
    print(f"{path}: {made.fields} fields, {known}; {len(made.questions)} questions stand in it:")
    for question in made.questions:
        print(f"  ? {question}")
    print(
        f"now: make try FILE={shlex.quote(arguments.file)} CONTRACT={shlex.quote(str(path))}"
        " OUT=tried"
    )
    return OK


def _base(sample: Sample, department: str, records: str) -> Contract | None:
    """The known record type that is drafted; None for one that is new, which then needs a name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", department) or not re.fullmatch(
        r"([a-z][a-z0-9_]*)?", records
    ):
        raise TryingError(
            "DEPARTMENT and RECORDS are names in small letters,",
            "e.g. DEPARTMENT=education RECORDS=attendance",
        )
    own = [contract for contract in every_contract() if contract.department == department]
    if not records:
        found = guessed(sample, own)
        if found is None:
            raise TryingError(
                "the sample is of no record type that is known of this department:",
                "name it, RECORDS=…",
            )
        return found
    elsewhere = [
        c.department
        for c in every_contract()
        if c.records == records and c.department != department
    ]
    base = next((contract for contract in own if contract.records == records), None)
    if base is None and elsewhere:
        raise TryingError(
            f"{records} are known of {elsewhere[0]}:",
            f"write DEPARTMENT={elsewhere[0]}, or another name in RECORDS",
        )
    return base


def compare_contract(settings: Settings, arguments: argparse.Namespace) -> int:
    """Reads the newest batches under an edited contract:
    rows whose outcome changes, indicators and lamps that move.
    """
    print("\n".join(difference(settings, contract_of(None, arguments.contract))))
    return OK
