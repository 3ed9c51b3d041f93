"""The commands that operate. Not here: which there are (`pipelines.command_line`), developer's tools (`pipelines.development`)."""
