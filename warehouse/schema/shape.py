"""The shape of a release: its tables and columns, by its layout and by the catalogue of its day.

Belongs here: picking. Not here: the declarations (`declared`), which layouts there are
(`warehouse.layouts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.layouts import NEWEST, has_begun
from warehouse.schema.declared import VIEWS, Column, View


@dataclass(frozen=True)
class Shape:
    """What goes into a release and its checksum; the rest is empty."""

    layout: str
    catalogue_version: str
    columns: Mapping[str, tuple[Column, ...]]
    """By the name of the view, in the order in which they are hashed."""

    def of(self, view: View) -> tuple[Column, ...]:
        """The columns of a view; none where the release does not have it."""
        return self.columns.get(view.name, ())


def shape_of(layout: str, catalogue: Catalogue) -> Shape:
    """The shape of a release of `layout` on a day with this catalogue."""
    on = catalogue.effective_from
    views = [view for view in VIEWS if has_begun(view.since, layout)]
    columns = {view.name: _columns(view, layout, on) for view in views}
    return Shape(layout, catalogue.version, columns)


def _columns(view: View, layout: str, on: date) -> tuple[Column, ...]:
    begun = [column for column in view.stored if has_begun(column.since, layout)]
    return tuple(column for column in begun if (column.effective_from or date.min) <= on)


def newest_shape() -> Shape:
    """Everything that is declared."""
    return shape_of(NEWEST, load_catalogue(date.max))
