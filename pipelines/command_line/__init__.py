"""The one command line: `yihu <command>`, `python -m pipelines <command>`, `make <command>`.

Belongs here: which commands there are and what they take (`table`, in the form of `declared`),
parsing (`parser`), the pages about commands and errors (`documented`). Not here: what they do;
nothing that is slow to import.
"""
