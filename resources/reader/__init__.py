"""What reads the departments' files, in a child process:
a file is opened by its content and its cells are streamed.

Belongs here: forms of files, cells as they stand in them, limits. Not here: contracts, headers,
notes, Parquet (`resources.departments`). Nothing here imports from another room or from another
part of this one: a child has to start in a moment, and what kills it must not be ours.
"""
