"""Observations and targets become assessments."""
