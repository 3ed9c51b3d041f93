"""`datacontract lint` of every contract that is named, in one process: its import costs more than
all files.

`python -m tests.lint_contracts expectations/contracts/*/*.odcs.yaml`; exit status 1 where one is
not valid ODCS.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from datacontract.data_contract import DataContract


def main(paths: Sequence[str]) -> int:
    """Names what is wrong with each contract."""
    runs = {path: DataContract(data_contract_file=path).lint() for path in paths}
    wrong = [
        f"{path}: {check.name}: {check.reason}"
        for path, run in runs.items()
        for check in run.checks or ()
        if check.result != "passed"
    ]
    print("\n".join(wrong) or f"contracts: {len(runs)} are valid ODCS")
    return 1 if wrong or not runs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
