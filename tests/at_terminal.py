"""A command as it is typed, in this process: to start Python anew takes longer than most of them.

Belongs here: arguments, environment and the three streams, also for the programs that a command
starts. Not here: what a command must say.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from pipelines.__main__ import main

OURS = re.compile("YIHU_|DAGSTER_|PG")
STREAMS = ("stdin", "stdout", "stderr")


def typed(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """What `python -m pipelines …` returns and says, with nothing of yihu's in its environment but
    `environment`.
    """
    clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    mask = os.umask(0o077)
    with ExitStack() as stack:
        stack.callback(os.umask, mask)
        given, said, complained = (
            stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in STREAMS
        )
        given.write(stdin)
        given.seek(0)
        with (
            mock.patch.dict(os.environ, {**clean, **environment}, clear=True),
            mock.patch.object(sys, "argv", ["pipelines", *arguments]),
            _streams(given.fileno(), said.fileno(), complained.fileno()),
        ):
            code = _code()
        for stream in (said, complained):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, code, said.read(), complained.read())


def _code() -> int:
    try:
        return main()
    except SystemExit as ended:
        return int(ended.code or 0)


@contextmanager
def _streams(*files: int) -> Iterator[None]:
    """Has these three stand for this process's own, as the system and as Python knows them."""
    with ExitStack() as stack:
        for number, (name, file) in enumerate(zip(STREAMS, files, strict=True)):
            kept = os.dup(number)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, number)
            os.dup2(file, number)
            mode = "r" if name == "stdin" else "w"
            stream = os.fdopen(number, mode, encoding="utf-8", closefd=False)
            stack.enter_context(mock.patch.object(sys, name, stream))
            stack.callback(stream.flush)
        yield
