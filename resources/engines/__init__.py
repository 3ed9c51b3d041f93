"""The engines that compute (DuckDB, Spark),
the dialect between them and the constructs that both read alike.
"""
