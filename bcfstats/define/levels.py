"""How sure is sure: the levels of every interval, forecast and test, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Levels:
    """The levels that all findings, sentences and charts use.

    Attributes
    ----------
    interval : float
        Level of confidence intervals.
    forecast : float
        Level of the limits of forecasts.
    significance : float
        Two-sided level of a test.
    power : float
        Chance of a significant result that a detectable change has.
    """

    interval: float = 0.95
    forecast: float = 0.80
    significance: float = 0.05
    power: float = 0.80

    @property
    def tail(self) -> float:
        """Level of a test in one direction."""
        return self.significance / 2


LEVELS = Levels()
