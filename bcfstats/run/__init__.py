"""Configuration, the batch through papermill, the index and the records."""
