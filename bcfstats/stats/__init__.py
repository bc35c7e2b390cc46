"""Pure functions on arrays: estimates, comparisons, improvements, season, trend, history, forecast."""
