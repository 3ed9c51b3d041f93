"""What is outside (department clients, engines, lake, warehouse server), and a run's own state.

Not here: what is computed (`warehouse`), what is checked (`expectations`), when it runs
(`pipelines`).
"""
