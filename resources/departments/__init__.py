"""The departments' sources: the exchange platform, drop folders, front-end databases.

`Departments.read_day` brings one record type for one day into `lake/raw`; `preflight` asks first
whether the gateway is there.
"""

from resources.departments.batches import BatchStore, Manifest
from resources.departments.departments import DayRead, Departments
from resources.departments.errors import SourceError
from resources.departments.preflight import preflight
from resources.departments.retry import RetryPolicy

__all__ = [
    "BatchStore",
    "DayRead",
    "Departments",
    "Manifest",
    "RetryPolicy",
    "SourceError",
    "preflight",
]
