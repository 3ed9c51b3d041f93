"""A standalone Spark cluster on loopback, from the pyspark package: a master and its workers, for
as long as a block runs.

python -m tests.spark.cluster      # until Ctrl-C; prints the address for YIHU_SPARK_MASTER
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.engines.java import java_home

START_SECONDS = 60.0
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"


class ClusterError(RuntimeError):
    """The cluster did not come up; the message holds the end of the log."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs."""

    url: str
    """The master's address, for YIHU_SPARK_MASTER."""
    ui: str


@contextmanager
def standalone_cluster(workers: int = 2, cores: int = 1, memory: str = "2g") -> Iterator[Cluster]:
    """Starts a master and `workers` workers on 127.0.0.1; leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="yihu-spark-") as folder, ExitStack() as stack:
        home = Path(folder)
        log = stack.enter_context(
            _daemon(home, "master", MASTER, "--port", "0", "--webui-port", "0")
        )
        url = _said(log, r"Starting Spark master at (spark://127\.0\.0\.1:[0-9]+)")
        ui = _said(log, r"started at (http://[a-z0-9.]+:[0-9]+)")
        for number in range(workers):
            place = [
                "--cores",
                str(cores),
                "--memory",
                memory,
                "--work-dir",
                str(home / f"work-{number}"),
                "--webui-port",
                "0",
            ]
            stack.enter_context(_daemon(home, f"worker-{number}", WORKER, *place, url))
        _wait_for_workers(ui, workers)
        yield Cluster(url, ui)


@contextmanager
def _daemon(home: Path, name: str, main: str, *arguments: str) -> Iterator[Path]:
    import pyspark

    spark = Path(pyspark.__file__).parent
    log = home / f"{name}.log"
    environment = os.environ | {
        "JAVA_HOME": str(java_home()),
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(home / "local"),
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [spark / "bin" / "spark-class", main, "--host", "127.0.0.1", *arguments],
            env=environment,
            stdout=out,
            stderr=out,
            cwd=home,
        )
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _said(log: Path, pattern: str) -> str:
    """What the log says in the place of the pattern's group, waited for."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found.group(1)
        time.sleep(0.1)
    raise ClusterError(
        f"{log.stem} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    )


def _wait_for_workers(ui: str, workers: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    alive = 0
    while time.monotonic() < deadline:
        alive = int(_state(ui)["aliveworkers"])
        if alive >= workers:
            return
        time.sleep(0.2)
    raise ClusterError(f"{alive} of {workers} workers came up within {START_SECONDS:.0f} s")


def applications(cluster: Cluster) -> list[dict[str, object]]:
    """What the cluster has run to its end, as the master tells it: name, cores, state."""
    return list(_state(cluster.ui)["completedapps"])


def _state(ui: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{ui}/json/", timeout=10) as answer:
        return dict(json.load(answer))


if __name__ == "__main__":
    with standalone_cluster() as cluster:
        print(f"YIHU_SPARK_MASTER={cluster.url}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass
