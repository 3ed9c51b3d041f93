"""Layouts of a release: its tables and columns and what they mean, counted by tagged version.

Belongs here: which there are, and which this code still makes. Not here: the columns of each
(`schema.declared` says of a view or a column since when it is there, `schema.shape` picks).
"""

from __future__ import annotations

from expectations.errors import YihuError

LAYOUTS = ("0.1.0", "0.2.0")
"""In their order; the last one grows until its version is tagged."""
FIRST, NEWEST = LAYOUTS[0], LAYOUTS[-1]
MADE = LAYOUTS[-2:]
"""What days can be made in; older ones are read, not made anew."""


class LayoutError(YihuError):
    """A layout that this code does not make."""


def has_begun(since: str, layout: str) -> bool:
    """Whether what came with the layout `since` is in `layout`."""
    return LAYOUTS.index(since) <= LAYOUTS.index(layout)


def refuse_unmade(layout: str, what: str) -> None:
    """Raises `LayoutError` where days of the layout are not made any more."""
    if layout not in MADE:
        raise LayoutError(
            f"{what} is of layout {layout}, and this code makes {' and '.join(MADE)}: it is read as"
            " it is, not made anew",
            f"the code of version {layout} makes it",
        )


def across(before: str, now: str) -> str:
    """What a comparison of two layouts has to say; empty within one."""
    if before == now:
        return ""
    compared = f"layout {before} is compared with layout {now}"
    return f'{compared}: a difference may be the layout\'s; see docs/rules.md, "Layouts"'
