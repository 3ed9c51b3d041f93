"""Publishing a release to PostgreSQL and to its Parquet folder: write, audit, publish; back, and pruned.

`publish` is what the pipeline calls; `rollback`, `open_gate` and `prune` are for people.
"""

from warehouse.publication.errors import AuditFailed, Busy, PublicationError
from warehouse.publication.publish import PublishResult, RunSource, publish

__all__ = ["AuditFailed", "Busy", "PublicationError", "PublishResult", "RunSource", "publish"]
