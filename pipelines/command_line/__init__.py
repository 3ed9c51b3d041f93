"""The one command line: `yihu <command>`, which is `python -m pipelines <command>`, which is `make <command>`.

Belongs here: what commands there are, what they take (`declared`), parsing (`parser`), the page about them (`documented`).
Not here: what they do; nothing that is slow to import.
"""
