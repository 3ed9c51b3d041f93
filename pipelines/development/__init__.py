"""Developer's tools: pages that are made, column lineage, contracts held against the models."""
