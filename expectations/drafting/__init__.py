"""A contract drafted from a sample file: `make draft-contract`.

Belongs here: what a table of text cells says about its own header, columns, keys and codes.
Everything is a pure function over cells. Not here: opening files (`resources.departments`), reading
deliveries under a contract (`expectations.landing`).
"""
