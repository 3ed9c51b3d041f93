"""What runs, and when: definitions, jobs, schedules, and the commands behind `make`.

Not here: what an asset does (`assets`).
"""
