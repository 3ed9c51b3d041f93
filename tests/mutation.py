"""`python -m tests.mutation --count 24` (`make mutate`): faults are planted in a copy of the clone,
one at a time, and the tests of that part are run; a fault that none of them sees is printed.

Belongs here: where faults are planted, what they are, which tests have to see them. Not here: the
tests. Which faults were left standing, and why, is in `tests/standing_mutants.txt`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STANDING = Path(__file__).with_name("standing_mutants.txt")
SECONDS = 600
NO_VERDICT = "no verdict: its tests did not end in time"


@dataclass(frozen=True)
class Part:
    """Files in which faults are planted, and the tests that have to see them."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = (
    Part(
        "models: indicators",
        ("warehouse/models/indicators/*.sql",),
        (
            "tests/indicators/test_reading.py",
            "tests/indicators/test_doubt.py",
            "tests/indicators/test_evidence.py",
        ),
    ),
    Part(
        "models: flags",
        ("warehouse/models/flags/*.sql",),
        (
            "tests/indicators/test_reading.py",
            "tests/indicators/test_score.py",
            "tests/indicators/test_held.py",
            "tests/indicators/test_explain.py",
        ),
    ),
    Part("models: what follows", ("warehouse/models/following/*.sql",), ("tests/following",)),
    Part("models: matching", ("warehouse/models/matching/*.sql",), ("tests/matching",)),
    Part(
        "models: the as-of state",
        ("warehouse/models/valid.sql", "warehouse/models/valid/*.sql"),
        ("tests/validation/test_asof.py", "tests/validation/test_quarantine.py"),
    ),
    Part("models: rhythms", ("warehouse/models/rhythms/*.sql",), ("tests/rhythms",)),
    Part(
        "rules",
        ("warehouse/rules/scoring-2021-01-01.yaml", "warehouse/rules/following-2021-01-01.yaml"),
        (
            "tests/indicators/test_catalogue.py",
            "tests/indicators/test_four_households.py",
            "tests/indicators/test_rules.py",
            "tests/following",
        ),
    ),
    Part(
        "contracts",
        ("expectations/contracts/*/*.odcs.yaml",),
        (
            "tests/house/test_record_dictionary.py",
            "tests/validation/test_rules.py",
            "tests/validation/test_held_back.py",
            "tests/rhythms/test_visits.py",
        ),
    ),
    Part(
        "python: runs",
        ("resources/runtime/alive.py", "pipelines/automation/abandoned.py"),
        ("tests/operating/test_runs.py",),
    ),
    Part(
        "python: what is known",
        ("warehouse/known.py", "warehouse/ledger.py", "warehouse/held_back.py"),
        (
            "tests/validation/test_unknown_days.py",
            "tests/validation/test_held_back.py",
            "tests/validation/test_asof.py",
        ),
    ),
    Part(
        "python: the command line",
        ("pipelines/command_line/parser.py", "expectations/nearest.py"),
        ("tests/house/test_command_line.py", "tests/house/test_settings.py"),
    ),
)

SQL = (
    (r"(?<=[\w)}]) >= (?=[\w({])", " > "),
    (r"(?<=[\w)}]) <= (?=[\w({])", " < "),
    (r"(?<=[\w)}]) > (?=[\w({])", " >= "),
    (r"(?<=[\w)}]) < (?=[\w({])", " <= "),
    (r"\band (?!not\b)", "and not "),
    (r"\bor\b", "and"),
    (r"\bnot exists\b", "exists"),
    (r"\bis not null\b", "is null"),
    (r"\bleft join\b", "inner join"),
    (r"\bunion all\b", "union"),
    (r"\bcount\(distinct ", "count("),
    (r"\bmax\(", "min("),
    (r"\bmin\(", "max("),
    (r"\bsum\(", "max("),
    (r"\bcoalesce\((\w[\w.]*), 0\)", r"\1"),
    (r"(?<![\w.'])([1-9])(?![\w.'])", "{next}"),
)
YAML = (
    (r"(?<=points: )([0-9]+)", "{next}"),
    (r"(?<=when: value )>=", ">"),
    (r"(?<=when: value )<", "<="),
    (r"(?<=: )([1-9][0-9]*)$", "{next}"),
    (r"(?<=required: )true$", "false"),
    (r"(?<=value: )(identity|internal)$", "public"),
    (r"(?<=physicalType: )(date|integer)$", "text"),
)
PYTHON = (
    (r" == ", " != "),
    (r" is None\b", " is not None"),
    (r" is not None\b", " is None"),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" >= ", " > "),
    (r" and ", " or "),
    (r" or ", " and "),
    (r"\bnot (?!in\b|None\b)", ""),
    (r"\bmax\(", "min("),
    (r"\bTrue\b", "False"),
)
OPERATORS = {".sql": SQL, ".yaml": YAML, ".py": PYTHON}
PASSED_OVER = {
    ".sql": re.compile(r"\{#.*?#\}|\{%.*?%\}|--[^\n]*|'[^'\n]*'", re.DOTALL),
    ".yaml": re.compile(r"#[^\n]*|^(?:version|apiVersion|effective_from):[^\n]*", re.MULTILINE),
    ".py": re.compile(r'""".*?"""|#[^\n]*|"[^"\n]*"|^(?:from|import) [^\n]*', re.DOTALL | re.M),
}


@dataclass(frozen=True)
class Mutant:
    """One fault: what stands at a place, and what is put there."""

    part: Part
    file: str
    start: int
    end: int
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.before.strip()!r} -> {self.after.strip()!r}"


def mutants_of(part: Part, file: Path, root: Path = ROOT) -> Iterator[Mutant]:
    """Every fault that can be planted in a file."""
    text = file.read_text(encoding="utf-8")
    spared = [found.span() for found in PASSED_OVER[file.suffix].finditer(text)]
    for pattern, instead in OPERATORS[file.suffix]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            if any(begin <= found.start() < end for begin, end in spared):
                continue
            digits = re.search("[0-9]+", found[0])
            after = (
                str(int(digits[0]) + 1) if instead == "{next}" and digits else found.expand(instead)
            )
            line = text.count("\n", 0, found.start()) + 1
            name = str(file.relative_to(root))
            yield Mutant(part, name, *found.span(), line, found[0], after)


def drawn(count: int, seed: int) -> list[Mutant]:
    """A sample: parts in turn, so that each has its share."""
    dice = random.Random(seed)
    by_part = []
    for part in PARTS:
        files = sorted({file for pattern in part.files for file in ROOT.glob(pattern)})
        found = [mutant for file in files for mutant in mutants_of(part, file)]
        dice.shuffle(found)
        by_part.append(found)
    chosen: list[Mutant] = []
    while len(chosen) < count and any(by_part):
        for found in by_part:
            if found and len(chosen) < count:
                chosen.append(found.pop())
    return chosen


def caught_by(mutant: Mutant, copy: Path) -> str | None:
    """The test that sees the fault; None where none does."""
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: mutant.start] + mutant.after + text[mutant.end :], encoding="utf-8")
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-n", "0", "-x", "-q", "--no-header"),
                *("-m", "not long", "-p", "no:cacheprovider", "--tb=line", "--durations=0"),
                f"--basetemp={copy.parent / 'pytest'}",
                *mutant.part.tests,
            ],
            cwd=copy,
            env={**os.environ, "YIHU_TEST_MUTATION": "yes"},  # nothing drawn is made smaller first
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return NO_VERDICT
    finally:
        path.write_text(text, encoding="utf-8")
    if done.returncode == 0:
        return None
    named = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return named[1] if named else (done.stdout + done.stderr).strip().splitlines()[-1]


def copied(folder: Path) -> Path:
    """The clone's files, without what is not committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = folder / "clone"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def standing() -> dict[str, str]:
    """Faults that may stand, by how they read, and why."""
    lines = STANDING.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(" # ") for line in lines if line and not line.startswith("#"))
    return {mutant: why for mutant, _, why in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="", help="only parts whose name has this in it")
    asked = parser.parse_args()
    chosen = [m for m in drawn(asked.count, asked.seed) if asked.part in m.part.name]
    stands, known = [], standing()
    with tempfile.TemporaryDirectory(prefix="yihu-mutants-") as folder:
        copy = copied(Path(folder))
        for mutant in chosen:
            seen = caught_by(mutant, copy)
            anywhere = re.sub(r":\d+:", ":", str(mutant), count=1)
            why = known.get(str(mutant)) or known.get(anywhere)
            if (seen is None and why is None) or seen == NO_VERDICT:
                stands.append(mutant)
            said = seen or (f"stands: {why}" if why else "STANDS")
            print(f"{mutant.part.name}: {mutant}\n    {said}", flush=True)
    print(f"{len(chosen)} faults planted, {len(chosen) - len(stands)} seen or explained")
    return 1 if stands else 0


if __name__ == "__main__":
    sys.exit(main())
