"""The same steps written by hand, with no checks: one DuckDB script, and plain pandas. What the
house is measured against.
"""
