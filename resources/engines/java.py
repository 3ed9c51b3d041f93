"""The Java that Spark runs on.

Belongs here: finding it. Not here: Spark (`spark`).

    python -m resources.engines.java    # says which, or what to do; for the Makefile
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from expectations.errors import ConfigurationError

OLDEST = 17
WHAT_TO_DO = (
    f"install Java {OLDEST} or later (Debian: apt-get install openjdk-17-jre-headless), or name its"
    " folder in JAVA_HOME"
)


class NoJavaError(ConfigurationError):
    """There is no Java to run Spark on; the message says what to do."""


def java_home() -> Path:
    """The folder of the Java that JAVA_HOME names, or else of the one on the path.

    Raises:
        NoJavaError: there is none, or it is too old.
    """
    named = os.environ.get("JAVA_HOME")
    found = Path(named) / "bin" / "java" if named else Path(shutil.which("java") or "")
    if not (found.is_file() and os.access(found, os.X_OK)):
        raise NoJavaError(
            f"Spark needs Java, and {f'JAVA_HOME ({named}) has' if named else 'there is'} none:",
            WHAT_TO_DO,
        )
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?([0-9]+)', said)
    if version is None or int(version.group(1)) < OLDEST:
        raise NoJavaError(
            f"Spark needs Java {OLDEST} or later, and {found} is"
            f" {version.group(1) if version else 'none'}:",
            WHAT_TO_DO,
        )
    return found.resolve().parents[1]


if __name__ == "__main__":
    try:
        java_home()
    except NoJavaError as error:
        sys.exit(f"yihu: {error}")
