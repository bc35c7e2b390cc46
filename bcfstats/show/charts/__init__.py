"""Charts: each gives a picture, the finding as alt text, and its data."""
