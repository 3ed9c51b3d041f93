"""A synthetic county with known truth, and the departments' gateways that serve it.

Belongs here: making people, events and errors from a seed, and handing them out as departments do
(API, files, front-end database), with faults where asked. Not here: anything that reads them;
nobody imports the sandbox but tests and benchmarks.
"""
