"""The model: identity, matching, indicators, scoring, publication;
SQL in `models/`, rules in `rules/`.

Not here: anything that knows Dagster, where files lie, or how a department is read.
"""
