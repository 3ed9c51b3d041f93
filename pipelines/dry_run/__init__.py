"""Trying a delivery, or an edited contract, before anybody relies on it:
what a run would make of it; keeps nothing.

Belongs here: `make try`, `make contract-diff`, `make draft-contract`. Not here: reading and judging
themselves; a trial calls what a run calls (`resources.departments`, `warehouse.asof`).
"""
