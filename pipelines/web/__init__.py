"""The operator's pages: who may come in, sessions,
the layer before Dagster's webserver (`pipelines.webserver`).
"""
