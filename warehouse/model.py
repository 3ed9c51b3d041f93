"""The SQL models: one SELECT a file under `warehouse/models/`, with the few things that differ filled in by Jinja.

Belongs here: finding and rendering a model. Not here: running it (`resources.engine`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

MODELS = Path(__file__).parent / "models"
_environment = Environment(
    loader=FileSystemLoader(MODELS), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)


class SqlEngine(Protocol):
    """What the model needs of an engine; `resources.engine.Engine` is the one in use."""

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None: ...
    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]: ...
    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any: ...
    def columns(self, select: str) -> list[tuple[str, str]]: ...
    def view(self, name: str, select: str) -> None: ...
    def parquet_view(self, name: str, files: str) -> None: ...
    def table(self, name: str, select: str) -> int: ...
    def exists(self, name: str) -> bool: ...
    def copy(self, select: str, path: Path) -> int: ...
    def copy_apart(self, select: str, path: Path) -> int: ...
    def arrow(self, select: str) -> pa.RecordBatchReader: ...
    def from_arrow(self, name: str, table: pa.Table) -> None: ...
    def drop(self, name: str) -> None: ...


def model_path(name: str) -> Path:
    """The file of the model `name`, e.g. `household/person`."""
    return MODELS / f"{name}.sql"


def render(name: str, **parameters: Any) -> str:
    """The SELECT of `warehouse/models/<name>.sql` with `parameters` filled in; an undefined one is an error."""
    return _environment.get_template(f"{name}.sql").render(**parameters).strip().rstrip(";")
