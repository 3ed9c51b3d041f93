"""The benchmarks behind `make bench`: one JSON line each. Not here: tests of what is stable
(`tests`).
"""
