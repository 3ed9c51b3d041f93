"""What is outside: department clients, the engine, the lake, the warehouse server.

Not here: what is computed (`warehouse`), what is checked (`expectations`), when it runs
(`pipelines`).
"""
