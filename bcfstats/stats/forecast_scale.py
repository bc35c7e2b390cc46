"""The scale of a forecast's log error, from its own past errors or from what stands in for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bcfstats.stats.glm import Array, MonthlyModel, divide
from bcfstats.stats.history import FEW_EVENTS, history_scale, moderated_dispersion, own_dispersion
from bcfstats.stats.level import Panel
from bcfstats.stats.priors import MonthlyPrior
from bcfstats.stats.wander import Found, from_panel, own_history

FROM_ERRORS = "errors of the same method at the same lead, all areas"
INSTEAD = "yearly like-for-like changes in place of forecast errors"
MINIMUM_ORIGINS = 6


def error_scale(
    panel: Panel,
    errors: Array,
    value: Array,
    model: MonthlyModel,
    small: npt.NDArray[np.bool_],
    prior: MonthlyPrior | None,
    minimum_areas: int,
    first: int,
    last: int,
) -> Found:
    """Moderated scale of the errors, never below the noise of the window's own count."""
    parts = own_history(errors, centre=0.0)
    own = divide(own_dispersion(model), np.maximum(value, 0.5))
    n_areas = int(((parts.n > 0) & ~small & np.isfinite(own)).sum())
    if n_areas >= minimum_areas and errors.shape[1] >= MINIMUM_ORIGINS:
        found = replace(from_panel(parts, own, small), source=FROM_ERRORS)
    else:
        instead = history_scale(
            np.where(panel.exposure > 0, panel.counts, np.nan),
            panel.exposure,
            panel.month,
            window=last - first + 1,
            lag=12 * (1 + (last - 1) // 12),
            prior=prior,
            minimum_areas=minimum_areas,
        )
        source = next((text for text in instead.source if text), "")
        warning = next((text for text in instead.warning if text and text != FEW_EVENTS), "")
        found = Found(
            instead.history_scale**2,
            instead.df,
            instead.prior_scale**2,
            instead.prior_df,
            0.0,
            f"{INSTEAD}: {source}",
            warning,
        )
    floor = divide(moderated_dispersion(model), np.maximum(value, 0.5))
    return replace(found, variance=np.fmax(found.variance, floor) + 0 * found.variance)
