"""What speaks SQL to PostgreSQL: logins and grants, the access log, extracts, copies,
the lock of writers.

Not here: SQL of the engine (`models`), releases (`publication`), the schema (`schema`).
"""
