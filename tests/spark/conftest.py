"""What the tests on Spark share. They are collected where pyspark is: `make test-spark`."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]
