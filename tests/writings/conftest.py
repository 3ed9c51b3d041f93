"""A lake and an engine of their own for each test."""

from tests.validation.conftest import engine, lake

__all__ = ["engine", "lake"]
