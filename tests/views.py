"""The views that a login which sees every household may read."""

from __future__ import annotations

from warehouse.schema import VIEWS
from warehouse.schema.roles import READER

READ_BY_ALL = tuple(view for view in VIEWS if READER in view.readers)
