"""Charts, tables, sentences and the page."""
