"""Quarterly payment for fewer emergency admissions, as the rules of July 2014 are understood."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcfstats.define.schemes import scheme
from bcfstats.errors import ParameterError

Floats = npt.NDArray[np.float64]

NOTES = (
    "Quarters, cumulative reckoning and unit cost are not confirmed: check them against your plan.",
    "Money that is not earned goes to services commissioned by the NHS.",
)


@dataclass(frozen=True, eq=False)
class QuarterlyPayment:
    """What a fall in admissions earns, quarter by quarter.

    Attributes
    ----------
    planned_pounds, earned_pounds : array, shape (areas, quarters)
        What each quarter could earn under the plan, and what it earned; NaN from the first quarter on that
        is not published.
    unearned_pounds : array, shape (areas,)
        Planned less earned, over the quarters published.
    avoided : array, shape (areas, quarters)
        Admissions avoided against the baseline, cumulative; negative where they rose.
    unit_cost : float
        Pounds for one admission avoided.
    notes : tuple of str
        What is not confirmed.
    """

    planned_pounds: Floats
    earned_pounds: Floats
    unearned_pounds: Floats
    avoided: Floats
    unit_cost: float
    notes: tuple[str, ...] = NOTES


def quarterly_payment(
    baseline: npt.ArrayLike,
    planned: npt.ArrayLike,
    actual: npt.ArrayLike,
    *,
    unit_cost: float | None = None,
) -> QuarterlyPayment:
    """Work out what avoided admissions earn under the scheme of July 2014.

    It answers: how much of the planned sum has been earned by each quarter?

    Parameters
    ----------
    baseline, planned, actual : array, shape (areas, quarters)
        Total non-elective admissions in each quarter: of the baseline, of the plan, and as they came. NaN for
        a quarter that is not published.
    unit_cost : float, optional
        Pounds for one admission avoided; the scheme's figure, which is not confirmed, if not given.

    Returns
    -------
    QuarterlyPayment

    Raises
    ------
    ParameterError
        If the shapes differ or a count is negative.

    Notes
    -----
    Cumulative: what has been avoided so far, never more than the plan so far, less what was paid before;
    a later rise takes nothing back. This reckoning is not confirmed, and the result says so.

    Do not use it where a provider did not submit: that looks like a fall.

    Examples
    --------
    >>> found = quarterly_payment([[1000, 1000]], [[965, 965]], [[990, 940]], unit_cost=1490)
    >>> found.earned_pounds.tolist(), found.unearned_pounds.tolist()
    ([[14900.0, 89400.0]], [0.0])
    """
    before, plan, came = (np.atleast_2d(np.asarray(x, dtype=float)) for x in (baseline, planned, actual))
    if not before.shape == plan.shape == came.shape:
        raise ParameterError(
            "Baseline, plan and outcome must have the same areas and quarters.",
            found=f"{before.shape}, {plan.shape}, {came.shape}",
        )
    if any(np.any(x < 0) for x in (before, plan, came)):
        raise ParameterError("A count of admissions is below zero.")
    cost = float(scheme("bcf-2014-07").settings["unit_cost_pounds"].value) if unit_cost is None else unit_cost
    target = np.maximum(np.cumsum(before - plan, axis=1), 0)
    avoided = np.cumsum(before - came, axis=1)
    so_far = np.maximum.accumulate(np.minimum(np.maximum(avoided, 0), target), axis=1) * cost
    earned, could = (
        np.diff(x, axis=1, prepend=0.0) for x in (so_far, np.maximum.accumulate(target, axis=1) * cost)
    )
    known = np.isfinite(earned)
    owed = np.where(known, could - earned, 0.0).sum(axis=1)
    return QuarterlyPayment(could, earned, np.where(known.any(axis=1), owed, np.nan), avoided, cost)
