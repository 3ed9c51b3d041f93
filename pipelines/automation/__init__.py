"""What Dagster runs by itself: jobs, schedules, sensors, a run in this process,
and the alerts after it.

Not here: commands (`pipelines.operator`).
"""
