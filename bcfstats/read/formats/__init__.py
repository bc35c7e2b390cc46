"""One module a published format: it recognises a file and reads it."""
