"""Small numbers: the rules, and the results of a run without them."""
