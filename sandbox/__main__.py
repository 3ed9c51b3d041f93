"""The sandbox as a program: `python -m sandbox serve …`.

Belongs here: the command line. Not here: anything that it starts.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.county import County, say_to_stderr
from sandbox.rates import ErrorRates


def _county(options: argparse.Namespace) -> County:
    rates = ErrorRates().doubled() if options.double_errors else ErrorRates()
    rates = replace(rates, contradictions=options.contradictions)
    say = Seldom() if options.quiet else say_to_stderr
    return County(options.home, options.households, options.seed, rates, say=say).make()


class Seldom:
    """Of a county that is made, which takes a while: when it begins, when it is there, and every so
    often how far it is.
    """

    def __init__(self, every: float = 10.0) -> None:
        self._every, self._told = every, time.monotonic()

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        is_edge = " making " in text or " made in " in text
        is_due = now - self._told > self._every and "is there" not in text
        if is_edge or is_due:
            self._told = now
            say_to_stderr(text)


def _say(options: argparse.Namespace, text: str) -> None:
    if not options.quiet:
        say_to_stderr(text)


def _plan(options: argparse.Namespace) -> list[dict[str, Any]]:
    from sandbox.faults import read_plan

    return read_plan(options.faults) if options.faults else []


def _drop(options: argparse.Namespace) -> None:
    from sandbox.drop import drop, writing_of
    from sandbox.faults import FILE_FAULTS, faults_of

    faults, writing = (
        faults_of(_plan(options), FILE_FAULTS),
        options.writing or writing_of(options.dir),
    )
    for path in drop(_county(options), options.dir, options.as_of, options.all, faults, writing):
        _say(options, f"sandbox: {path.parent.name}/{path.name}")


def _front_db(options: argparse.Namespace) -> None:
    from expectations.contract import contract_for
    from sandbox.faults import DATABASE_FAULTS, faults_of
    from sandbox.frontdb import load, spoil

    for table, rows in load(_county(options), options.url, options.as_of, options.all).items():
        _say(options, f"sandbox: {table} {rows:,} rows")
    for records, fault in faults_of(_plan(options), DATABASE_FAULTS).items():
        spoil(options.url, contract_for(records), fault)


def _serve(options: argparse.Namespace) -> None:
    from sandbox.faults import API_FAULTS, FaultPlan
    from sandbox.gateway import start

    parent, ended = os.getppid(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    faults = FaultPlan.of(entry for entry in _plan(options) if entry["fault"] in API_FAULTS)
    server, url = start(
        _county(options), options.sid, options.key_file.read_bytes().strip(), faults, options.port
    )
    if options.ready_file:
        work = options.ready_file.with_suffix(".tmp")
        work.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
        work.replace(options.ready_file)
    _say(options, f"sandbox: serving at {url}")
    # nobody is left behind: the gateway ends with whoever started it
    while not ended.wait(0.5) and (options.stay or os.getppid() == parent):
        pass
    server.shutdown()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A synthetic county and its departments."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--home", type=Path, required=True, help="where the county is kept")
        sub.add_argument("--households", type=int, default=104_000)
        sub.add_argument("--seed", type=int, default=1)
        sub.add_argument("--quiet", action="store_true", help="no line but of making the county")
        sub.add_argument("--double-errors", action="store_true", help="every error twice as often")
        sub.add_argument(
            "--contradictions",
            type=float,
            default=0.0,
            help="share of the households in which each rule's contradiction is planted",
        )
        return sub

    command("make", "make the county and end")
    serve = command("serve", "serve the departments' API on loopback until the parent ends")
    serve.add_argument("--sid", required=True)
    serve.add_argument("--key-file", type=Path, required=True)
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--ready-file", type=Path)
    serve.add_argument("--stay", action="store_true", help="go on when the parent ends")
    drop = command("drop", "put the files that are due by a day into the drop folder")
    drop.add_argument("--dir", type=Path, required=True)
    drop.add_argument(
        "--writing",
        choices=("office", "tidy"),
        help="how files are written; by default as they are there, office in a new folder",
    )
    front = command("front-db", "bring the front-end database to a day")
    front.add_argument("--url", required=True, help="an SQLAlchemy address")
    for sub in (drop, front):
        sub.add_argument("--as-of", type=date.fromisoformat, required=True)
        sub.add_argument(
            "--all",
            action="store_true",
            help="all record types, not only those that come this way by contract",
        )
    for sub in (serve, drop, front):
        sub.add_argument("--faults", type=Path, help="a fault plan (JSON)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "make":
        _county(options)
    elif options.command == "serve":
        _serve(options)
    elif options.command == "drop":
        _drop(options)
    elif options.command == "front-db":
        _front_db(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
