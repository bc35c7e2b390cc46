"""Fictional areas, their figures and their targets."""
