"""Publishing a release to PostgreSQL and to its Parquet folder: write, audit, publish;
back, and pruned.

`publish` is what the pipeline calls; `rollback`, `open_gate` and `prune` are for people.
"""

from warehouse.publication.audit import GATES
from warehouse.publication.errors import AuditFailed, PublicationError, PublisherBusy
from warehouse.publication.keeping import Moved, Pruned, open_gate, prune, rollback
from warehouse.publication.publish import PublishResult, RunSource, publish

__all__ = [
    "GATES",
    "AuditFailed",
    "Moved",
    "Pruned",
    "PublicationError",
    "PublishResult",
    "PublisherBusy",
    "RunSource",
    "open_gate",
    "prune",
    "publish",
    "rollback",
]
