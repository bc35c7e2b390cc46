"""What a movement of the whole nation does to a forecast."""

from __future__ import annotations

import numpy as np

from bcfstats.errors import ParameterError
from bcfstats.stats.glm import Array
from bcfstats.stats.level import Panel


def with_england(
    panel: Panel, value: Array, errors: Array, first: int, last: int, ahead: Array, england: float
) -> tuple[Array, Array]:
    """Scale all areas alike so that the nation moves as told; take each origin's common error out."""
    if england <= -1:
        raise ParameterError(
            "England cannot fall by the whole.", found=f"{england:g}", do="Write -5 % as -0.05."
        )
    same = panel.month.size + np.arange(first, last + 1) - 1
    same = same - 12 * (1 + (last - 1) // 12)
    before = panel.counts[:, same[same >= 0]]
    whole = (panel.exposure[:, same[same >= 0]] > 0).all(axis=1) & np.isfinite(value) & (same >= 0).all()
    if not whole.any():
        raise ParameterError(
            "England's movement cannot be set: no area has all of the same months before.",
            do="Give a longer history, or leave the setting out.",
        )
    length = panel.exposure[whole][:, same].sum()
    rate = before[whole].sum() / length * (1 + england)
    known = np.isfinite(errors)
    common = np.array(
        [np.median(column[has]) if has.any() else 0.0 for column, has in zip(errors.T, known.T, strict=True)]
    )
    return value * rate * ahead[whole].sum() / value[whole].sum(), errors - common
