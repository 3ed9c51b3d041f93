"""The SQL models: one SELECT a file under `warehouse/models/`,
with the few things that differ filled in by Jinja.

Belongs here: finding and rendering a model. Not here: running it (`resources.engines.duckdb`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MODELS = Path(__file__).parent / "models"
environment = Environment(
    loader=FileSystemLoader(MODELS),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


def model_path(name: str) -> Path:
    """The file of the model `name`, e.g. `household/person`."""
    return MODELS / f"{name}.sql"


def render(name: str, **parameters: Any) -> str:
    """The SELECT of `warehouse/models/<name>.sql` with `parameters` filled in;
    an undefined one is an error.
    """
    return environment.get_template(f"{name}.sql").render(**parameters).strip().rstrip(";")
