"""Charts of the UI: drawing, and what of a day is drawn. Not here: assets."""
