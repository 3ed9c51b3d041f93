"""What kind of test a file is: each is of exactly one, and `make test-<kind>` runs those.

Belongs here: the kinds, and which files are of which. Not here: how long a test takes (the markers
`slow` and `long`), the page about them (`pipelines.development.tested`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Kind:
    """What its tests do, and the files that are of it: patterns below `tests/`, without `test_`."""

    does: str
    files: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "browser": Kind(
        "look at the pages as a person or another page does, in headless Chromium or by requests",
        ("operating/browser", "operating/foreign_page", "operating/pages"),
    ),
    "oracle": Kind(
        "hold the result against another way to it: a plain reading in Python, the sandbox's"
        " truth, another engine, all at once beside county by county",
        (
            "extraction/forms",
            "extraction/sandbox",
            "incremental/runs",
            "indicators/evidence",
            "indicators/reading",
            "indicators/scores",
            "matching/truth",
            "scale/by_county",
            "spark/*",
            "validation/history",
            "validation/idnumber",
            "warehouse/oracle",
            "warehouse/small_groups",
            "whole/evidence",
            "whole/links",
        ),
    ),
    "property": Kind(
        "draw many inputs and hold what must be true of all of them",
        (
            "extraction/sql_times",
            "incremental/matched_over",
            "incremental/touched",
            "indicators/held",
            "indicators/score",
            "matching/names",
            "matching/numbers",
            "matching/properties",
            "scale/growth",
            "writings/forms",
            "writings/keys",
            "writings/marks",
        ),
    ),
    "spec": Kind(
        "hold the code against what is written: the design's tables, the pages, the declarations",
        (
            "extraction/docs",
            "house/asset_specs",
            "house/command_line",
            "house/errors",
            "house/from_a_clone",
            "house/glossary",
            "house/graph",
            "house/quoting",
            "house/record_dictionary",
            "house/sql_subset",
            "house/tests",
            "house/width",
            "house/as_printed",
            "indicators/catalogue",
            "indicators/four_households",
            "operating/lineage",
            "trying/add_a_source",
            "validation/rules",
            "warehouse/consumers",
            "warehouse/roles",
            "writings/cases",
            "writings/values",
        ),
    ),
    "fault": Kind(
        "break something, or attack it, and hold what may come of it",
        (
            "extraction/answers",
            "extraction/api",
            "extraction/in_silence",
            "extraction/matrix",
            "extraction/odd",
            "house/leftovers",
            "reading/limits",
            "warehouse/adversary",
            "warehouse/attempts",
            "warehouse/failures",
            "warehouse/looking",
            "warehouse/server_log",
            "warehouse/turn",
            "whole/bad_input",
            "whole/faults",
            "whole/hostile_sources",
            "whole/killed",
            "whole/kills",
            "whole/privacy",
        ),
    ),
    "whole": Kind(
        "run a day or a week as an operator does, from the departments to SQL",
        (
            "operating/daemon",
            "operating/thirty_runs",
            "operating/week",
            "rhythms/field_results",
            "warehouse/backup",
            "warehouse/commands",
            "warehouse/moving",
            "warehouse/new_indicator",
            "warehouse/upgrading",
            "whole/*",
        ),
    ),
    "unit": Kind("hold one part by itself, by hand-made inputs", ("*",)),
}
"""In the order in which they are asked: the first one that has the file."""


def kind_of(file: str) -> str:
    """The kind of a file: `extraction/test_api.py`."""
    name = file.removesuffix(".py").replace("/test_", "/")
    return next(
        kind
        for kind, declared in KINDS.items()
        if any(fnmatch(name, pattern) for pattern in declared.files)
    )
