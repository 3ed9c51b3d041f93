"""The warehouse's schema: `declared` (what consumers read), `tables`, `programs` (views, functions), `roles`."""

from warehouse.schema.declared import VIEW, VIEWS, Column, View
from warehouse.schema.tables import METADATA, OPEN

__all__ = ["METADATA", "OPEN", "VIEW", "VIEWS", "Column", "View"]
