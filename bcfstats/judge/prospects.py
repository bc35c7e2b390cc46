"""Each comparison held against history: usual movement between years, and what was to be expected."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.judge.outlook import Outlook
from bcfstats.judge.results import AGAINST_HISTORY, AGAINST_NOISE, BETTER, NOT_COMPARED, UNCLEAR, WORSE

TAIL = 0.025  # one-sided, each way: 5 % in all


def outlook_table(seen: Outlook, label: str) -> pd.DataFrame:
    """Lay an outlook out as a table.

    Parameters
    ----------
    seen : Outlook
    label : str
        The payment it belongs to, or "latest".

    Returns
    -------
    DataFrame
        One row per area: what is expected in the window if nothing is done, with 80 % limits, the value that
        would just be significant against usual movement, the one detectable with 80 % power, the last period
        `known`, `method`, `reason` and `warnings`.
    """
    low, high = seen.expected_interval()
    return pd.DataFrame(
        {
            "area_code": seen.area_codes,
            "metric": seen.metric.id,
            "payment": label,
            "period": str(seen.window),
            "known": str(seen.known_until),
            "expected": seen.expected,
            "expected_lower": low,
            "expected_upper": high,
            "minimum_significant": seen.minimum_significant(),
            "detectable": seen.detectable(),
            "method": seen.method,
            "reason": seen.reason,
            "warnings": seen.warnings,
        }
    )


def with_history(changes: pd.DataFrame, seen: Outlook | None) -> pd.DataFrame:
    """Hold each change against the way such rates move between years when nothing is targeted.

    Parameters
    ----------
    changes : DataFrame
        From `change`, its finding made against noise within the two windows.
    seen : Outlook or None
        The outlook of the same windows; None where nothing can be said.

    Returns
    -------
    DataFrame
        The same rows with `noise_finding` (as it was), `history_p` (one-sided, in the improving direction),
        `finding` and `finding_against`. Where history can be told and both windows are complete, a change is
        "better" or "worse" only beyond usual movement, 2.5 % each way; elsewhere the finding stays the one
        against noise, and says so.
    """
    frame = changes.assign(noise_finding=changes["finding"], history_p=np.nan)
    frame["history_p"] = _history_p(frame, seen)
    told = frame["history_p"].notna() & (frame["finding"] != NOT_COMPARED)
    verdict = np.select(
        [frame["history_p"] < TAIL, frame["history_p"] > 1 - TAIL], [BETTER, WORSE], default=UNCLEAR
    )
    frame["finding"] = np.where(told, verdict, frame["finding"])
    frame["finding_against"] = np.where(
        frame["finding"] == NOT_COMPARED, "", np.where(told, AGAINST_HISTORY, AGAINST_NOISE)
    )
    return frame


def _history_p(frame: pd.DataFrame, seen: Outlook | None) -> NDArray[np.float64]:
    if seen is None:
        return np.full(len(frame), np.nan)
    outcome = frame.set_index("area_code")["outcome_value"].reindex(seen.area_codes).to_numpy(dtype=float)
    by_area = pd.Series(seen.usual_p(outcome), index=seen.area_codes)
    complete = (frame["baseline_n_present"] == frame["baseline_n_expected"]) & (
        frame["outcome_n_present"] == frame["outcome_n_expected"]
    )
    told = by_area.reindex(frame["area_code"]).to_numpy(dtype=float)
    return np.where(complete.to_numpy(dtype=bool), told, np.nan)
