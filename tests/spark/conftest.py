"""What the tests on Spark share. They are collected where pyspark is: `make test-spark`."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]

# Many statements over few rows: see the file. Child processes inherit it.
os.environ.setdefault("SPARK_CONF_DIR", str(Path(__file__).parent / "conf"))
