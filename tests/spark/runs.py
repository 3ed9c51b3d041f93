"""The main job on either engine, for the tests that compare what two runs left.

Belongs here: running it. Not here: comparing (`same`), a cluster (`cluster`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from resources.settings import ROOT

HOUSEHOLDS = 20_000


def sync(home: Path, first: date, last: date | None = None, **settings: str) -> str:
    """The main job, as `make sync` calls it; returns what it said."""
    mine = {
        name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)
    }
    ours = {
        "YIHU_HOME": str(home),
        "YIHU_SANDBOX_HOUSEHOLDS": str(HOUSEHOLDS),
        "YIHU_PSEUDONYM_KEY": "one-key-for-both-engines",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "sync", "--from", first.isoformat(), "--to",
            (last or first).isoformat()],
        cwd=ROOT, env={**mine, **ours, **settings}, capture_output=True, text=True, check=False,
        timeout=1800,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    return said
