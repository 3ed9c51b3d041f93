"""The warehouse's schema: `declared` and `periodic` (what consumers read), `tables`,
`programs` (views, functions), `roles`.
"""

from warehouse.schema.declared import VIEW, VIEWS, Column, View
from warehouse.schema.people import OFFICER
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.tables import METADATA, OPEN

__all__ = ["METADATA", "OFFICER", "OPEN", "PERIODIC", "VIEW", "VIEWS", "Column", "View"]
