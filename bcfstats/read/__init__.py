"""Published files become observations: one tidy frame, checked once, with a manifest."""
