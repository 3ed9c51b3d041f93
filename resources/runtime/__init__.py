"""The house's own state: lock, clean-up, the run's context, Dagster's files, alerts, failures.

Not here: clients of what is outside.
"""
