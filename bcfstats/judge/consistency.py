"""Whether a board's targets agree with the ambitions of its clinical commissioning groups."""

import numpy as np
import pandas as pd

from bcfstats.errors import InputError

APART = 1.0
COVERED = 0.9
AGREES, DIFFERS, UNTOLD = "agrees", "differs", "cannot be told"


def ambition_consistency(
    assessments: pd.DataFrame,
    commissioners: pd.DataFrame,
    shares: pd.DataFrame,
    *,
    apart: float = APART,
) -> pd.DataFrame:
    """Hold board targets against the ambitions their commissioning groups have set.

    It answers: do the board's and the groups' plans ask for the same (paragraphs 29 and 49 of the annex)?

    Parameters
    ----------
    assessments : DataFrame
        From `assess_ambitions`: `area_code metric payment ambition_percent`.
    commissioners : DataFrame
        The groups' own ambitions: `commissioner`, `metric`, `change_percent` (of the value, from the same
        baseline period), and optionally `payment`, where they differ by payment.
    shares : DataFrame
        From `read_file`: `commissioner`, `area_code`, `area_share` (share of the area's people).
    apart : float
        Percentage points by which two changes may differ.

    Returns
    -------
    DataFrame
        One row per assessment of a metric that some group has an ambition for: `groups` (named, with their
        share of the area), `covered` (share of the area's people in them), `implied_percent` (their changes
        weighted by these shares), `difference`, `finding` ("agrees", "differs", "cannot be told"), `note`.

    Raises
    ------
    InputError
        If a column is missing, or a group has two ambitions for one metric and payment.

    Notes
    -----
    Weights are people, not events: where groups' rates differ much, the implied change is approximate. Below
    90 % of the area's people nothing is concluded.

    Examples
    --------
    >>> import pandas as pd
    >>> board = pd.DataFrame({"area_code": ["X"], "area_name": ["X"], "metric": ["reablement"],
    ...                       "payment": ["2015-10"], "ambition_percent": [3.0]})
    >>> groups = pd.DataFrame({"commissioner": ["A", "B"], "metric": "reablement",
    ...                        "change_percent": [2.0, 6.0]})
    >>> shares = pd.DataFrame({"commissioner": ["A", "B"], "area_code": "X", "area_share": [0.75, 0.25]})
    >>> ambition_consistency(board, groups, shares)[["implied_percent", "finding"]].values.tolist()
    [[3.0, 'agrees']]
    """
    _check(assessments, ("area_code", "metric", "payment", "ambition_percent"), "assessments")
    _check(commissioners, ("commissioner", "metric", "change_percent"), "commissioners' ambitions")
    _check(shares, ("commissioner", "area_code", "area_share"), "shares")
    key = ["commissioner", "metric", *(["payment"] if "payment" in commissioners else [])]
    if commissioners.duplicated(key).any():
        twice = commissioners.loc[commissioners.duplicated(key), key].iloc[0].tolist()
        raise InputError("A commissioning group has two ambitions.", found=", ".join(map(str, twice)))
    rows = assessments.loc[assessments["metric"].isin(set(commissioners["metric"]))]
    names = ["area_code", "area_name", "metric", "payment", "ambition_percent"]
    found = [_compare(row, commissioners, shares, apart) for row in rows.to_dict("records")]
    left = rows.reindex(columns=names).reset_index(drop=True)
    columns = ["groups", "covered", "implied_percent", "difference", "finding", "note"]
    return left.join(pd.DataFrame(found, columns=columns))


def _compare(
    row: dict[str, object], commissioners: pd.DataFrame, shares: pd.DataFrame, apart: float
) -> dict[str, object]:
    chosen = commissioners.loc[commissioners["metric"] == row["metric"]]
    if "payment" in chosen:
        chosen = chosen.loc[chosen["payment"] == row["payment"]]
    both = shares.loc[shares["area_code"] == row["area_code"]].merge(
        chosen[["commissioner", "change_percent"]], on="commissioner"
    )
    both = both.dropna(subset=["area_share", "change_percent"]).sort_values("area_share", ascending=False)
    covered = float(both["area_share"].sum())
    groups = ", ".join(f"{g.commissioner} ({100 * g.area_share:.0f} %)" for g in both.itertuples())
    implied = (
        float((both["area_share"] * both["change_percent"]).sum() / covered) if covered else float("nan")
    )
    asked = float(row["ambition_percent"])  # type: ignore[arg-type]
    difference = asked - implied
    known = covered >= COVERED and np.isfinite(difference)
    finding = UNTOLD if not known else AGREES if abs(difference) <= apart else DIFFERS
    note = ""
    if not np.isfinite(asked):
        note = "the board's own change is not known"
    elif covered < COVERED:
        note = f"only {100 * covered:.0f} % of the area's people are in groups with an ambition"
    elif finding == DIFFERS:
        note = f"the board asks for {asked:+.1f} %, its groups together for {implied:+.1f} %"
    return {
        "groups": groups,
        "covered": covered,
        "implied_percent": implied,
        "difference": difference,
        "finding": finding,
        "note": note,
    }


def _check(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> None:
    missing = [name for name in names if name not in frame]
    if missing:
        raise InputError(f"Columns are missing from the {what}.", found=", ".join(missing))
