"""`yihu <command>`, `python -m pipelines <command>`, `make <command>`: the one command line.

Belongs here: running a command, and how it ends where something goes wrong. Not here: which there
are (`command_line`), what they do.
"""

from __future__ import annotations

import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from expectations.errors import FAILED, YihuError
from pipelines.command_line.exits import INTERRUPTED, UNTOUCHED, complain, ended_by
from pipelines.command_line.parser import parse
from pipelines.command_line.table import COMMANDS

REPORT = f"that is a fault of yihu: report it with the lines above. {UNTOUCHED}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; a mistake is one clear line. Returns the exit status."""
    try:
        try:
            return run(parse(arguments))
        finally:
            sys.stdout.flush()
    except YihuError as error:
        return ended_by(error)
    except KeyboardInterrupt:
        complain(f"interrupted: what was begun is completed when it is run again. {UNTOUCHED}")
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        traceback.print_exc()
        complain(f"{type(error).__name__}: {REPORT}")
        return FAILED


def run(asked: Namespace) -> int:
    """Runs what was asked, with the settings where it needs them."""
    command = COMMANDS[asked.command]
    if getattr(asked, "as_of", ""):
        os.environ["YIHU_AS_OF"] = asked.as_of
    module, _, function = command.runs.partition(":")
    if command.settings == "none":
        return int(getattr(import_module(module), function)(asked))
    from resources.settings import load_settings

    settings = load_settings()
    if command.settings == "prepared":
        from pipelines.environment import prepare

        prepare(settings)
    return int(getattr(import_module(module), function)(settings, asked))


if __name__ == "__main__":
    sys.exit(main())
