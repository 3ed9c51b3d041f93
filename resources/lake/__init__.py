"""The lake: every table's days, as snapshots and the changes since, and the raw batches beside.

`Lake` is what others know. Nobody else knows how a day lies on disk.
"""

from resources.lake.anew import GivenUp
from resources.lake.lake import LAYERS, NO_COUNTY, Difference, Lake, NotInLake, Written
from resources.lake.reading import BrokenChain
from resources.lake.writing import CountyWriter, OtherBase

__all__ = [
    "LAYERS",
    "NO_COUNTY",
    "BrokenChain",
    "CountyWriter",
    "Difference",
    "GivenUp",
    "Lake",
    "NotInLake",
    "OtherBase",
    "Written",
]
