"""What must hold: contracts, the GX suites built from them, ID structure, the quarantine.

Not here: how rows are matched or scored (`warehouse`), nor anything that knows Dagster.
"""
