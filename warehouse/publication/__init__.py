"""Publishing a release to PostgreSQL and to its Parquet folder: write, audit, publish;
back, and pruned.

`publish` is what the pipeline calls; `rollback`, `open_gate` and `prune` are for people.
"""

from warehouse.publication.again import make_again
from warehouse.publication.audit import GATES
from warehouse.publication.errors import AuditFailed, PublicationError, PublisherBusy
from warehouse.publication.keeping import Kept, Moved, Pruned, open_gate, prune, rollback
from warehouse.publication.publish import PublishResult, RunSource, publish

__all__ = [
    "GATES",
    "AuditFailed",
    "Kept",
    "Moved",
    "Pruned",
    "PublicationError",
    "PublishResult",
    "PublisherBusy",
    "RunSource",
    "make_again",
    "open_gate",
    "prune",
    "publish",
    "rollback",
]
