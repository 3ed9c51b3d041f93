"""What is made: one module per layer, from extract to release, with its asset checks.

Not here: how (`warehouse`, `expectations`, `resources`), nor when (`pipelines`).
"""
