"""The commands that operate: run a day, look, decide, back up, move.

Not here: which there are (`pipelines.command_line`), developer's tools (`pipelines.development`).
"""
