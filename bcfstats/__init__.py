"""Baseline, trend, seasonality and significance for Better Care Fund metrics."""

__version__ = "0.1.0"
