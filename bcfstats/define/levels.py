"""How sure is sure: the levels of every interval, forecast and test, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Levels:
    """The levels of intervals, limits of forecasts and two-sided tests; the power of a detectable change."""

    interval: float = 0.95
    forecast: float = 0.80
    significance: float = 0.05
    power: float = 0.80

    @property
    def tail(self) -> float:
        """Level of a test in one direction."""
        return self.significance / 2


LEVELS = Levels()
