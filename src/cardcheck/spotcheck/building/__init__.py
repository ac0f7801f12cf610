"""Making a held-out set from documents: read, split, clean, ask for queries, check that it separates, write, verify."""
